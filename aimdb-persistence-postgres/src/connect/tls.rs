//! Which certificates a server may show.

use std::path::Path;
use std::sync::Arc;

use aimdb_persistence_backend::StorageErrorKind;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Failure;

/// Verifies the server by the authorities in the file, or by the system's.
pub(crate) fn verified(
    authorities: Option<&Path>,
    server: &str,
) -> Result<MakeRustlsConnect, Failure> {
    let refuse = |what: String| Failure::new(StorageErrorKind::CannotOpen, server, what);
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let unreadable = |error| {
                refuse(format!(
                    "`sslrootcert`, {}, cannot be read: {error}",
                    path.display()
                ))
            };
            for certificate in CertificateDer::pem_file_iter(path)
                .map_err(|error| unreadable(error.to_string()))?
            {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(refuse(
            "there is no certificate of an authority to verify the server by: install the system's \
             (`ca-certificates`), or name a file by `sslrootcert=…` in the URL"
                .to_owned(),
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions
        .map_err(|error| refuse(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
