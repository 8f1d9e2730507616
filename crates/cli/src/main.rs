//! The `fractal` program.

fn main() -> std::process::ExitCode {
    fractal_cli::main()
}
