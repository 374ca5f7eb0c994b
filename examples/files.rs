//! Where an example keeps its file.

use std::env;
use std::io;
use std::path::PathBuf;

/// The path that stands for `name` in the workspace's `target` folder.
///
/// An example is built as `target/PROFILE/examples/NAME`, so its own place tells where that folder is, from whichever
/// folder it was started. The path is relative where the current folder contains it, to be pleasant to read.
///
/// # Errors
/// If the operating system does not say where the program lies.
pub fn in_target_folder(name: &str) -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(3).ok_or_else(|| {
        io::Error::other(format!("`{}` is not in a target folder", program.display()))
    })?;
    let path = target.join(name);
    let current = env::current_dir()?;
    Ok(match path.strip_prefix(&current) {
        Ok(relative) => relative.to_owned(),
        Err(_) => path,
    })
}

/// The file that the command line names as its only argument, or else `name` in the `target` folder.
///
/// # Errors
/// If there are more arguments, or one that looks like an option.
pub fn from_command_line(name: &str) -> io::Result<PathBuf> {
    let mut arguments = env::args_os().skip(1);
    let refused = |argument: &std::ffi::OsStr| {
        io::Error::other(format!(
            "unexpected argument `{}`: the only one is the path of a file",
            argument.display()
        ))
    };
    let Some(path) = arguments.next() else {
        return in_target_folder(name);
    };
    if path.as_encoded_bytes().starts_with(b"-") {
        return Err(refused(&path));
    }
    match arguments.next() {
        Some(another) => Err(refused(&another)),
        None => Ok(path.into()),
    }
}
