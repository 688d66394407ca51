//! What the demo tells its user: how to connect, and five things to try.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::calendar::Month;
use super::config::{ADMIN, USER};

/// One server, for whoever wants to look into the nodes.
#[derive(Debug)]
pub struct ServerLine {
    /// `g0 primary`.
    pub name: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process, to be stopped as an experiment.
    pub pid: Option<u32>,
    /// The databases of its group.
    pub databases: &'static str,
}

/// All that the text names.
#[derive(Debug)]
pub struct Guide<'a> {
    /// Where MySQL clients connect.
    pub mysql: SocketAddr,
    /// Where the console listens.
    pub admin: SocketAddr,
    /// Where /metrics is.
    pub http: SocketAddr,
    /// The servers behind the proxy.
    pub servers: &'a [ServerLine],
    /// User and password on the servers.
    pub server_user: (&'a str, &'a str),
    /// The month with the newest events.
    pub now: Month,
}

impl Guide<'_> {
    /// The whole text.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}",
            self.connect(),
            self.five_things(),
            "Ctrl-C stops everything and leaves nothing behind."
        )
    }

    fn connect(&self) -> String {
        let client = self.client();
        let admin = console(self.admin);
        let mut text = format!(
            "Serval is running.\n\n  the shop   {client}\n  console    {admin} -e 'show @@datanode'\n  \
             metrics    curl http://{}/metrics\n",
            self.http
        );
        let _ = writeln!(
            text,
            "\nThe servers behind it (user {}, password {}):\n",
            self.server_user.0, self.server_user.1
        );
        for server in self.servers {
            let pid = server.pid.map_or_else(String::new, |pid| format!("pid {pid}"));
            let _ = writeln!(
                text,
                "  {:<11} port {:<6} {:<12} {}",
                server.name, server.port, pid, server.databases
            );
        }
        text
    }

    fn client(&self) -> String {
        let ip = self.mysql.ip();
        format!("mariadb -h{ip} -P{} -u{} -p{} shop", self.mysql.port(), USER.0, USER.1)
    }

    fn five_things(&self) -> String {
        let (month, next) = (self.now, self.now.next());
        let look = self.look_inside();
        let replica =
            self.servers.iter().find(|server| server.name == "g1 replica").and_then(|server| server.pid);
        let primary =
            self.servers.iter().find(|server| server.name == "g1 primary").and_then(|server| server.pid);
        let pid = |pid: Option<u32>| pid.map_or_else(|| "PID".to_owned(), |pid| pid.to_string());
        format!(
            "Five things to try, in the shop:\n
1. One user is on one node. EXPLAIN FORMAT=SERVAL shows which; plain EXPLAIN stays MySQL's own.
     SELECT * FROM users WHERE id = 7;
     EXPLAIN FORMAT=SERVAL SELECT * FROM users WHERE id = 7;
2. Everybody, in order: four nodes sort, the proxy merges.
     SELECT id, name FROM users ORDER BY name, id LIMIT 5;
     SELECT status, COUNT(*), SUM(total) FROM orders GROUP BY status;
3. A join stays on the user's node, because users and orders are split by the same rule.
     SELECT u.name, o.id, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = 7;
4. A month of events is one table, events_{compact}.
     EXPLAIN FORMAT=SERVAL SELECT COUNT(*) FROM events
       WHERE created_at >= '{month}-01' AND created_at < '{next}-01';
5. Insert a user and see in the nodes where it went; then stop a server of group g1.
     INSERT INTO users (name, email, region_id, created_at) VALUES ('You', 'you@example.com', 1, NOW());
     {look}
     kill {replica}   # its replica: nothing changes; its primary ({primary}): that group's statements fail, others go on
",
            compact = month.compact(),
            replica = pid(replica),
            primary = pid(primary),
        )
    }

    /// One command per primary, which counts the users in its databases without the proxy.
    fn look_inside(&self) -> String {
        let (user, password) = self.server_user;
        let commands: Vec<String> = self
            .servers
            .iter()
            .filter(|server| server.name.ends_with("primary"))
            .map(|server| {
                let counts: Vec<String> = server
                    .databases
                    .split(", ")
                    .map(|name| format!("SELECT '{name}', COUNT(*), MAX(id) FROM {name}.users"))
                    .collect();
                let sql = counts.join(" UNION ALL ");
                format!("mariadb -h127.0.0.1 -P{} -u{user} -p{password} -e \"{sql}\"", server.port)
            })
            .collect();
        commands.join("\n     ")
    }
}

fn console(address: SocketAddr) -> String {
    format!("mariadb -h{} -P{} -u{} -p{}", address.ip(), address.port(), ADMIN.0, ADMIN.1)
}
