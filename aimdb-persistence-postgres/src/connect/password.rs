//! Where the password of a connection comes from.

use std::fs;
use std::path::{Path, PathBuf};

use aimdb_persistence_backend::StorageErrorKind;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::error::Failure;
use crate::options::PasswordFrom;
use crate::report;

/// Gives the connection its password, if there is one.
pub(crate) fn provide(
    config: &mut Config,
    from: &PasswordFrom,
    server: &str,
) -> Result<(), Failure> {
    let refuse = |what: String| Failure::new(StorageErrorKind::CannotOpen, server, what);
    let password = match from {
        PasswordFrom::UrlOrPgpass if config.get_password().is_some() => return Ok(()),
        PasswordFrom::UrlOrPgpass => of_pgpass(config),
        PasswordFrom::Text(password) => Some(password.to_string()),
        PasswordFrom::File(path) => {
            let read = fs::read_to_string(path);
            let text = read.map_err(|error| {
                refuse(format!(
                    "the file with the password, {}, cannot be read: {error}",
                    path.display()
                ))
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        PasswordFrom::Callback(ask) => {
            // Its error is the program's own, and may be shown.
            Some(ask().map_err(|error| refuse(format!("the password was not given: {error}")))?)
        }
    };
    if let Some(password) = password {
        config.password(password);
    }
    Ok(())
}

fn of_pgpass(config: &Config) -> Option<String> {
    let path = match std::env::var_os("PGPASSFILE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".pgpass"),
    };
    let text = fs::read_to_string(&path).ok()?;
    if !is_private(&path) {
        report::warn(&format!(
            "{} is not used: others may read it; make it private with `chmod 0600`",
            path.display()
        ));
        return None;
    }
    let (host, port) = (
        config.get_hosts().first()?,
        config.get_ports().first().copied().unwrap_or(5432),
    );
    let host = match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(_) => "localhost".to_owned(),
    };
    let user = config.get_user()?;
    let wanted = [
        &host,
        &port.to_string(),
        config.get_dbname().unwrap_or(user),
        user,
    ];
    text.lines().find_map(|line| password_of_line(line, wanted))
}

/// Of a line `host:port:database:user:password`, in which `*` stands for anything and `\` stands before `:` and `\`.
fn password_of_line(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    let fits = [host, port, database, user];
    let fits = fits
        .iter()
        .zip(wanted)
        .all(|(field, wanted)| field == "*" || field == wanted);
    fits.then_some(password)
}

#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_pgpass_gives_its_password_to_the_connection_that_it_names() {
        let wanted = ["db.example", "5432", "history", "gateway"];
        for (line, password) in [
            ("db.example:5432:history:gateway:secret", Some("secret")),
            (
                "*:*:*:gateway:with\\:colon\\\\ and: more",
                Some("with:colon\\ and: more"),
            ),
            ("*:*:*:*:", Some("")),
            ("db.example:5433:history:gateway:secret", None),
            ("# *:*:*:*:secret", None),
            ("*:*:*:secret", None),
            ("", None),
        ] {
            assert_eq!(
                password_of_line(line, wanted).as_deref(),
                password,
                "{line}"
            );
        }
    }
}
