//! TLS to real servers, with certificates of the tests' own.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serval_catalog::{Address, Pem, ServerTls, TlsIdentity, TlsMode};
use serval_remote::{Access, Connection, RemoteError, SessionState};
use serval_testkit::Cluster;

use crate::{acquire, ask, cluster, eventually, group, plain, start};

/// An authority of this test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for a host with its key, as PEM.
    fn issue(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, host);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn pem(&self) -> Pem {
        Pem::new(&self.0.pem())
    }
}

/// A server with a certificate for `host`, and the user `ssl` that has to use TLS.
async fn server(directory: &Path, authority: &Authority, host: &str) -> Cluster {
    let (certificate, key) = authority.issue(host);
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        // The servers run as another user.
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        path.display().to_string()
    };
    let options = [
        format!("--ssl-ca={}", file("ca.pem", &authority.0.pem())),
        format!("--ssl-cert={}", file("server.pem", &certificate)),
        format!("--ssl-key={}", file("server.key", &key)),
    ];
    let cluster = cluster(0, &options.each_ref().map(String::as_str)).await;
    let primary = cluster.group(0).primary();
    primary.execute("CREATE USER 'ssl'@'%' IDENTIFIED BY 'hush' REQUIRE SSL").await.unwrap();
    primary.execute("CREATE USER 'x509'@'%' IDENTIFIED BY 'hush' REQUIRE X509").await.unwrap();
    cluster
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

/// The cipher of a new connection as `user`, empty without TLS.
async fn cipher(cluster: &Cluster, user: &str, host: &str, tls: ServerTls) -> Result<String, String> {
    let mut group = group(cluster, 2);
    (group.user, group.tls) = (user.to_owned(), tls);
    if user != cluster.backend_user() {
        group.password = serval_catalog::Secret::new("hush");
    }
    group.servers[0].address = match host {
        "" => Address::Unix(cluster.group(0).primary().socket()),
        host => Address::Tcp { host: host.to_owned(), port: cluster.group(0).primary().port() },
    };
    let servers = start(group);
    let state = SessionState::default();
    match acquire(&servers, Access::Primary).await {
        Ok(mut connection) => {
            let rows = ask(&mut connection, &plain("SHOW STATUS LIKE 'Ssl_cipher'", &state)).await.unwrap();
            Ok(rows[0].split_once('|').unwrap().1.to_owned())
        }
        Err(RemoteError::Unavailable { reason, .. }) => Err(reason),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn modes_mean_what_mysql_means() {
    let (directory, authority) = (directory(), Authority::new());
    let cluster = server(directory.path(), &authority, "localhost").await;
    let (own, other) = (authority.pem(), Authority::new().pem());
    let tls = |mode, ca: Option<&Pem>| ServerTls { mode, authorities: ca.cloned(), identity: None };
    let user = cluster.backend_user();
    assert_eq!(cipher(&cluster, user, "127.0.0.1", tls(TlsMode::Off, None)).await.unwrap(), "");
    for mode in [TlsMode::Preferred, TlsMode::Required] {
        assert_ne!(cipher(&cluster, user, "127.0.0.1", tls(mode, None)).await.unwrap(), "");
    }
    assert_ne!(cipher(&cluster, user, "", tls(TlsMode::Required, None)).await.unwrap(), "");
    let verified = |mode, ca| tls(mode, Some(ca));
    let (name, number) = ("localhost", "127.0.0.1");
    assert_ne!(cipher(&cluster, user, number, verified(TlsMode::VerifyCa, &own)).await.unwrap(), "");
    assert_ne!(cipher(&cluster, user, name, verified(TlsMode::VerifyIdentity, &own)).await.unwrap(), "");
    let wrong_host =
        cipher(&cluster, user, number, verified(TlsMode::VerifyIdentity, &own)).await.unwrap_err();
    assert!(wrong_host.contains("not valid for name"), "{wrong_host}");
    for mode in [TlsMode::VerifyCa, TlsMode::VerifyIdentity] {
        let wrong_ca = cipher(&cluster, user, name, verified(mode, &other)).await.unwrap_err();
        assert!(wrong_ca.contains("TLS: ") && wrong_ca.contains("certificate"), "{wrong_ca}");
    }
}

#[tokio::test]
async fn accounts_that_insist() {
    let (directory, authority) = (directory(), Authority::new());
    let cluster = server(directory.path(), &authority, "localhost").await;
    let (certificate, key) = authority.issue("serval");
    let required = ServerTls { mode: TlsMode::Required, ..ServerTls::default() };
    let shown = ServerTls {
        identity: Some(TlsIdentity { certificate: Pem::new(&certificate), key: Pem::new(&key) }),
        ..required.clone()
    };
    let host = "127.0.0.1";
    assert!(cipher(&cluster, "ssl", host, ServerTls::default()).await.unwrap_err().contains("1045"));
    assert_ne!(cipher(&cluster, "ssl", host, required.clone()).await.unwrap(), "");
    assert!(cipher(&cluster, "x509", host, required).await.unwrap_err().contains("1045"));
    assert_ne!(cipher(&cluster, "x509", host, shown).await.unwrap(), "");
}

/// What comes on an idle TLS connection after the handshake does not spoil it, and what is large arrives whole.
#[tokio::test]
async fn connections_are_pooled_and_large_answers_whole() {
    let (directory, authority) = (directory(), Authority::new());
    let cluster = server(directory.path(), &authority, "localhost").await;
    let mut group = group(&cluster, 1);
    group.tls = ServerTls { mode: TlsMode::VerifyCa, authorities: Some(authority.pem()), identity: None };
    let servers = start(group);
    let state = SessionState::default();
    let mut thread = None;
    for length in [1, 100_000, 20 << 20, 3] {
        let mut connection = acquire(&servers, Access::Primary).await.unwrap();
        assert_eq!(*thread.get_or_insert(connection.thread_id()), connection.thread_id());
        let sql = format!("SELECT LENGTH('{}'), LENGTH(REPEAT('x', {length}))", "y".repeat(length));
        let rows = ask(&mut connection, &plain(&sql, &state)).await.unwrap();
        assert_eq!(rows, [format!("{length}|{length}")]);
        let rows =
            ask(&mut connection, &plain(&format!("SELECT REPEAT('x', {length})"), &state)).await.unwrap();
        assert_eq!(rows[0].len(), length);
    }
    let primary = cluster.group(0).primary();
    primary.execute(&format!("KILL {}", thread.unwrap())).await.unwrap();
    eventually("the closed connection is replaced", async || {
        let mut connection = acquire(&servers, Access::Primary).await.unwrap();
        ask(&mut connection, &plain("SELECT 1", &state)).await.is_ok()
    })
    .await;
}

/// MariaDB's ed25519, where its plugin is installed; Debian has it in mariadb-server, not in mariadb-server-core.
#[tokio::test]
async fn mariadb_ed25519() {
    let plugins = std::env::var("MARIADB_PLUGINS").unwrap_or_else(|_| "/usr/lib/mysql/plugin".to_owned());
    if serval_testkit::Flavour::from_env() != serval_testkit::Flavour::MariaDb
        || !Path::new(&plugins).join("auth_ed25519.so").exists()
    {
        return;
    }
    let cluster = cluster(0, &[&format!("--plugin-dir={plugins}"), "--plugin-load-add=auth_ed25519"]).await;
    let primary = cluster.group(0).primary();
    primary.execute("CREATE USER 'signer'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('hush')").await.unwrap();
    let mut group = group(&cluster, 2);
    (group.user, group.password) = ("signer".to_owned(), serval_catalog::Secret::new("hush"));
    assert!(acquire(&start(group.clone()), Access::Primary).await.is_ok());
    group.password = serval_catalog::Secret::new("wrong");
    assert!(acquire(&start(group), Access::Primary).await.is_err());
}
