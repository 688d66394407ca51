//! server.xml: the port and the accounts.

use roxmltree::Node as Element;

use super::{Import, attribute, children, properties};
use crate::draft::User;

const FILE: &str = "server.xml";

impl Import<'_> {
    pub(super) fn server(&mut self, root: Element<'_, '_>) {
        for system in children(root, "system") {
            let system = properties(system);
            let port = system.get("serverPort").map_or("8066", String::as_str);
            let address = system.get("bindIp").map_or("0.0.0.0", String::as_str);
            self.draft.listen = Some(format!("{address}:{port}"));
            if system.get("nonePasswordLogin").is_some_and(|value| value == "1") {
                self.draft.refuse(FILE, "nonePasswordLogin", "Serval lets nobody in without a password");
            }
        }
        for firewall in children(root, "firewall") {
            if firewall
                .children()
                .any(|child| child.is_element() && child.children().any(|item| item.is_element()))
            {
                let why =
                    "Serval has no list of hosts or statements: use a firewall, and grants on the servers";
                self.draft.refuse(FILE, "<firewall>", why);
            }
        }
        for user in children(root, "user") {
            self.user(user);
        }
    }

    fn user(&mut self, element: Element<'_, '_>) {
        let Some(name) = attribute(element, "name") else {
            return self.draft.refuse(FILE, "<user>", "it has no name");
        };
        let shown = format!("<user name=\"{name}\">");
        let given = properties(element);
        let set = |key: &str| given.get(key).is_some_and(|value| value == "true" || value == "1");
        if set("readOnly") {
            let why =
                "Serval has no read-only accounts: give it a schema over servers whose account may only read";
            return self.draft.refuse(FILE, shown, why);
        }
        if children(element, "privileges").any(|privileges| attribute(privileges, "check") == Some("true")) {
            let why = "<privileges>: Serval has no rights on tables, use grants on the servers";
            return self.draft.refuse(FILE, shown, why);
        }
        let schemas = given.get("schemas").map_or("", String::as_str);
        let schemas: Vec<String> =
            schemas.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let default_schema = given.get("defaultSchema").filter(|name| schemas.contains(name)).cloned();
        // An encrypted password is not known here.
        let password = given.get("password").filter(|_| !set("usingDecrypt")).cloned();
        self.draft.users.insert(name.to_owned(), User { password, schemas, default_schema });
    }
}
