//! backends/local
