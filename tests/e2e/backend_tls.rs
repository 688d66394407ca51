//! TLS between the proxy and its servers, and a reload that changes it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use serval_tests::{ADMIN, APP, Client, make_databases};

/// Writes an authority's certificate and one of a server, which the servers' own user may read.
fn write_certificates(directory: &Path) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "a server");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let other = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let stranger = params.self_signed(&other).expect("an authority");
    let files = [
        ("ca.pem", authority.pem()),
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
        ("other.pem", stranger.pem()),
    ];
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    }
}

#[tokio::test]
async fn servers_are_verified_and_a_reload_changes_whom_to_trust() {
    let directory = tempfile::tempdir().expect("a directory");
    write_certificates(directory.path());
    let file = |name: &str| directory.path().join(name).display().to_string();
    let mut spec = ClusterSpec::new(Flavour::from_env(), 2, 0);
    spec.options = vec![
        format!("--ssl-ca={}", file("ca.pem")),
        format!("--ssl-cert={}", file("server.pem")),
        format!("--ssl-key={}", file("server.key")),
    ];
    let cluster = Cluster::start(spec).await.expect("the servers start");
    make_databases(&cluster, "safe").await;
    for group in cluster.groups() {
        let require = format!("ALTER USER '{}'@'%' REQUIRE SSL", cluster.backend_user());
        group.primary().execute(&require).await.expect("an account that insists");
    }
    let trusted = directory.path().join("trusted.pem");
    std::fs::copy(file("ca.pem"), &trusted).expect("a copy");
    let topology = serval_tests::Topology::new("safe");
    let started = ServalProcess::start(|ports| {
        let tls = format!("[defaults.group]\ntls = \"verify_identity\"\ntls_ca = \"{}\"", trusted.display());
        topology.toml(&cluster, ports).replace("[defaults.group]", &tls)
    });
    let serval = started.await.expect("the proxy starts");
    let client = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some("safe")));
    let mut first = client().await;
    assert_eq!(first.run("CREATE TABLE t1 (id INT PRIMARY KEY)").await.error_number(), 0);
    assert_eq!(first.run("INSERT INTO t1 VALUES (1), (2), (3), (4)").await.error_number(), 0);
    assert_eq!(first.run("SELECT COUNT(*) FROM t1").await.rows(), [["4"]]);
    let mut console = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    std::fs::copy(file("server.key"), &trusted).expect("a copy");
    let refused = console.run("reload @@config").await;
    assert!(refused.message().contains("tls_ca"), "{refused:?}");
    assert_eq!(first.run("SELECT COUNT(*) FROM t1").await.rows(), [["4"]], "the old one stays");
    std::fs::copy(file("other.pem"), &trusted).expect("a copy");
    assert_eq!(console.run("reload @@config").await.error_number(), 0);
    assert_eq!(
        first.run("SELECT COUNT(*) FROM t1").await.error_number(),
        1429,
        "a stranger is no server of ours"
    );
    std::fs::copy(file("ca.pem"), &trusted).expect("a copy");
    assert_eq!(console.run("reload @@config").await.error_number(), 0);
    assert_eq!(first.run("SELECT COUNT(*) FROM t1").await.rows(), [["4"]]);
}
