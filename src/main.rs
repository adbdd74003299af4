//! The program `vpipe`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(vpipe::cli::main(std::env::args_os()))
}
