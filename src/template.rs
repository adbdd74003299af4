//! Templates: strings of a recipe with values in them, rendered by minijinja.
