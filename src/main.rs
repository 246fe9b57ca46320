//! The `sangtrang` program: everything is in the library's front desk.

fn main() -> std::process::ExitCode {
    sangtrang::cli::main()
}
