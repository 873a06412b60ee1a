//! The cable between two namespaces: a separate program that forwards their packets, and drops, duplicates or delays
//! them on request.

use super::machine::Machine;
use std::{
    io::{self, BufRead, BufReader, Write},
    net::IpAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cable.py");

pub(super) struct Cable {
    program: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Cable {
    /// Starts the program, with no machine attached.
    pub fn new() -> io::Result<Cable> {
        let mut program = Command::new("python3")
            .arg(PROGRAM)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::other(format!("cannot start python3: {error}")))?;
        let input = program.stdin.take().expect("piped");
        let output = BufReader::new(program.stdout.take().expect("piped"));
        Ok(Cable { program, input, output })
    }

    /// Attaches one of the cable's two ends to a machine, which gets this address.
    pub fn plug(&mut self, end: usize, machine: &mut Machine, address: IpAddr) -> io::Result<()> {
        let namespace = machine.namespace.as_ref().expect("a machine with a cable is apart").display();
        self.request(&format!("plug {end} {namespace} {address}"))
    }

    /// Sends a command that cannot fail.
    pub fn send(&mut self, command: &str) {
        self.request(command).expect("the cable executes commands");
    }

    /// Sends a command and waits until it has been executed.
    fn request(&mut self, command: &str) -> io::Result<()> {
        // In a single write: the program reads a line at a time.
        self.input.write_all(format!("{command}\n").as_bytes())?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        match answer.trim() {
            "ok" => Ok(()),
            "" => Err(io::Error::other(format!("the cable broke at `{command}`"))),
            why => Err(io::Error::other(format!("the cable refuses `{command}`: {why}"))),
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
