//! A file that appears when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::HistoryError;

/// A file under another name until it is complete: `<path>.partial`. If it is dropped before, nothing is left of it.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    partial: PathBuf,
    /// `None` once it is complete.
    file: Option<BufWriter<File>>,
}

impl NewFile {
    /// Begins it.
    ///
    /// # Errors
    /// If there is a file at `path` already, or beside it one that is under way.
    pub fn create(path: &Path) -> Result<Self, HistoryError> {
        if path.symlink_metadata().is_ok() {
            let exists = io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a file already: remove it, or choose another name",
            );
            return Err(HistoryError::of_file(path, "creating it")(exists));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&partial);
        let file = created.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let under_way =
                    "another one is under way, or was killed; in the latter case remove this file";
                io::Error::new(io::ErrorKind::AlreadyExists, under_way)
            }
            _ => error,
        });
        Ok(Self {
            file: Some(BufWriter::with_capacity(
                1 << 16,
                file.map_err(HistoryError::of_file(&partial, "creating it"))?,
            )),
            path: path.to_owned(),
            partial,
        })
    }

    /// Appends to it.
    ///
    /// # Errors
    /// The system's, such as that of a full disk.
    pub fn write(&mut self, content: &[u8]) -> Result<(), HistoryError> {
        let written = self.write_all(content);
        written.map_err(HistoryError::of_file(&self.path, "writing it"))
    }

    /// Gives it its name. What is in it is on the disk before.
    ///
    /// # Errors
    /// The system's; then nothing is left of it.
    pub fn complete(mut self) -> Result<(), HistoryError> {
        let completed = (|| {
            self.flush()?;
            if let Some(file) = &self.file {
                file.get_ref().sync_all()?;
            }
            // A file that came meanwhile is not replaced.
            fs::hard_link(&self.partial, &self.path)?;
            self.file = None;
            fs::remove_file(&self.partial)
        })();
        completed.map_err(HistoryError::of_file(&self.path, "completing it"))
    }
}

impl Write for NewFile {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(content),
            None => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.flush(),
            None => Ok(()),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // What is buffered is not wanted any more.
            drop(file.into_parts());
            // If it cannot be removed, the next one says so.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_complete_and_leaves_nothing_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            entries.map(|e| e.unwrap().file_name()).collect::<Vec<_>>()
        };
        let mut file = NewFile::create(&path).unwrap();
        file.write(b"half").unwrap();
        assert_eq!(names(), ["rows.csv.partial"]);
        let other = NewFile::create(&path).unwrap_err().to_string();
        assert!(other.contains("under way"), "{other}");
        drop(file);
        assert!(names().is_empty());

        let mut file = NewFile::create(&path).unwrap();
        file.write(b"whole").unwrap();
        file.complete().unwrap();
        assert_eq!(names(), ["rows.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        let exists = NewFile::create(&path).unwrap_err().to_string();
        assert!(exists.contains("there is a file already"), "{exists}");
    }
}
