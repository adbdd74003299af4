//! Templates and expressions: strings of a recipe with values in them, computed by minijinja.
//!
//! | file | subject |
//! |---|---|
//! | `render` | a string with values of a scope in it |
//! | `variables` | the same with variables of the environment, one by one and where permitted |
//! | `expression` | values computed from data, and JSON whose strings are templates |
//! | `condition` | tests that come to true or false |
//! | `region` | parts of a frame, for tests of where something is |
//! | `line` | lines across a frame, for what passes over them |
//! | `compared` | what a test compares its values with |
//! | `called` | what it calls |
//! | `passed` | the calls that ask what a thing has passed |

mod called;
mod compared;
mod condition;
mod expression;
mod line;
mod passed;
mod region;
mod render;
mod variables;

pub use called::Called;
pub use compared::Compared;
pub use condition::Condition;
pub use expression::Data;
pub use expression::Expression;
pub use expression::Expressions;
pub use expression::Filled;
pub use expression::Names;
pub use line::Direction;
pub use line::Line;
pub use region::Region;
pub use render::Fault;
pub use render::Scope;
pub use render::Template;
pub use render::render;
pub use variables::RenderedText;
pub use variables::Variables;
pub use variables::needs_permission;
pub use variables::render_with_variables;
