//! The URL of a server: where it is, and how the connection is secured.

use std::path::PathBuf;

use aimdb_persistence_backend::StorageErrorKind;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::Failure;

/// Where to connect to.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Its `Debug` leaves the password out.
    pub(crate) config: Config,
    pub(crate) security: Security,
    /// The server and the database, for messages: no user, no password.
    pub(crate) label: String,
}

/// How the connection is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Security {
    /// A unix socket, or `sslmode=disable`.
    Plain,
    /// The server's certificate must be valid for its host name, by the system's authorities or those in this file.
    Verified { authorities: Option<PathBuf> },
}

/// What errors call a server whose URL cannot be read. The URL itself may hold a password.
const UNREADABLE: &str = "PostgreSQL";

const FORM: &str = "write it as `postgresql://user@host:5432/database?sslmode=verify-full`, and characters such as `@`, `/`, `?` \
     and `%` in a name or a password as `%40`, `%2F`, `%3F` and `%25`";

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        let refuse = |what: &str| Failure::new(StorageErrorKind::CannotOpen, UNREADABLE, what);
        let scheme = ["postgresql://", "postgres://"];
        if !scheme.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(refuse(&format!(
                "the URL of the server cannot be read; {FORM}"
            )));
        }
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut authorities, mut kept) = (None, None, Vec::new());
        for parameter in parameters
            .split('&')
            .filter(|parameter| !parameter.is_empty())
        {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => {
                    let path = percent_decoded(value);
                    authorities =
                        Some(path.ok_or_else(|| refuse("`sslrootcert` in the URL is no path"))?);
                }
                _ => kept.push(parameter),
            }
        }
        let rest = match kept.is_empty() {
            true => place.to_owned(),
            false => format!("{place}?{}", kept.join("&")),
        };
        // The parser's own message may quote a part of the URL, which may be one of the password.
        let unreadable = |_| refuse(&format!("the URL of the server cannot be read; {FORM}"));
        let mut config: Config = rest.parse().map_err(unreadable)?;
        if config.get_hosts().is_empty() {
            return Err(refuse(&format!("the URL names no host; {FORM}")));
        }
        if config.get_user().is_none() {
            return Err(refuse(&format!("the URL names no user; {FORM}")));
        }
        let is_local = config
            .get_hosts()
            .iter()
            .all(|host| !matches!(host, Host::Tcp(_)));
        let security = match mode {
            Some("disable") => Security::Plain,
            None if is_local => Security::Plain,
            // libpq's `require` does not look at the certificate. Here it is always verified.
            None | Some("require" | "verify-full") => Security::Verified {
                authorities: authorities.map(PathBuf::from),
            },
            Some("prefer" | "allow" | "verify-ca") => {
                return Err(refuse(
                    "this `sslmode` does not keep the connection from being listened to or diverted: \
                     write `sslmode=verify-full`, with `sslrootcert=…` for an authority of your own, or `sslmode=disable`",
                ));
            }
            Some(_) => {
                return Err(refuse(
                    "the URL has an unknown `sslmode`: write `verify-full` or `disable`",
                ));
            }
        };
        config.ssl_mode(match security {
            Security::Plain => SslMode::Disable,
            Security::Verified { .. } => SslMode::Require,
        });
        let label = label(&config);
        Ok(Self {
            config,
            security,
            label,
        })
    }
}

fn label(config: &Config) -> String {
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let ports = config.get_ports();
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let hosts: Vec<_> = hosts.collect();
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or("postgres");
    format!("PostgreSQL {}/{database}", hosts.join(","))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        decoded.push(u8::try_from(digit()? << 4 | digit()?).ok()?);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn security(url: &str) -> Security {
        Address::parse(url).unwrap().security
    }

    fn verified(authorities: Option<&str>) -> Security {
        Security::Verified {
            authorities: authorities.map(PathBuf::from),
        }
    }

    #[test]
    fn a_connection_over_the_network_is_verified_unless_the_url_says_otherwise() {
        for url in [
            "postgresql://u@db.example/history",
            "postgres://u@db.example:6543/history?sslmode=verify-full",
            "postgresql://u@db.example?sslmode=require&connect_timeout=5",
        ] {
            assert_eq!(security(url), verified(None), "{url}");
        }
        let own =
            "postgresql://u@db.example/history?sslrootcert=%2Fetc%2Fca.pem&sslmode=verify-full";
        assert_eq!(security(own), verified(Some("/etc/ca.pem")));
        assert_eq!(
            security("postgresql://u@db.example/h?sslmode=disable"),
            Security::Plain
        );
        assert_eq!(
            security("postgresql://u@%2Frun%2Fpostgresql/h"),
            Security::Plain
        );
        for mode in ["prefer", "allow", "verify-ca", "of-course"] {
            let refused = Address::parse(&format!("postgresql://u@db.example/h?sslmode={mode}"));
            assert_eq!(
                refused.unwrap_err().kind(),
                StorageErrorKind::CannotOpen,
                "{mode}"
            );
        }
    }

    #[test]
    fn messages_name_the_server_and_never_the_password() {
        let address = Address::parse("postgresql://u:s3cr%40t@db.example:6543/history").unwrap();
        assert_eq!(address.label, "PostgreSQL db.example:6543/history");
        assert_eq!(address.config.get_password(), Some(&b"s3cr@t"[..]));
        assert!(!format!("{address:?}").contains("s3cr"), "{address:?}");
        for url in [
            "postgresql://u:s3cr?t@db.example/history",
            "postgresql://u:s3cr/t@db.example:port/history",
            "postgresql://u:s3cr&t=@/history?s3cr=t",
            "host=db.example password=s3cr",
            "s3cr",
            "postgresql://:s3cr@",
        ] {
            if let Err(failure) = Address::parse(url) {
                assert!(!failure.to_string().contains("s3cr"), "{failure}");
            }
        }
    }
}
