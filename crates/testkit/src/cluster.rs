//! Groups of servers that replicate.

use std::path::{Path, PathBuf};

use tokio::task::JoinSet;

use crate::grants::{BACKEND_PASSWORD, BACKEND_USER};
use crate::server::ServerSpec;
use crate::{Flavour, Result, ScratchDirectory, Server, TestkitError, replication};

/// What a [`Cluster`] is to be.
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    /// The server program.
    pub flavour: Flavour,
    /// How many replication groups.
    pub groups: usize,
    /// How many replicas each group's primary has.
    pub replicas: usize,
    /// Further options for every server, such as `--max-connections=20`.
    pub options: Vec<String>,
    /// Where the servers' directory is made; the system's place for temporary files unless given.
    pub parent: Option<PathBuf>,
}

impl ClusterSpec {
    /// Groups of one primary and `replicas` replicas, with the usual options.
    #[must_use]
    pub fn new(flavour: Flavour, groups: usize, replicas: usize) -> ClusterSpec {
        ClusterSpec { flavour, groups, replicas, options: Vec::new(), parent: None }
    }
}

/// Running groups. Dropping the cluster kills its servers and removes their files.
#[derive(Debug)]
pub struct Cluster {
    groups: Vec<Group>,
    /// Last, so that it is removed after the servers have died.
    directory: ScratchDirectory,
}

/// A primary and its replicas.
#[derive(Debug)]
pub struct Group {
    servers: Vec<Server>,
}

impl Cluster {
    /// Starts all servers at the same time and waits until each answers and replicates.
    pub async fn start(spec: ClusterSpec) -> Result<Cluster> {
        spec.flavour.available()?;
        let directory = ScratchDirectory::new(spec.parent.as_deref())?;
        let mut starting = JoinSet::new();
        for group in 0..spec.groups {
            starting.spawn(start_group(spec.clone(), group, directory.path().to_owned()));
        }
        let mut groups: Vec<(usize, Group)> = Vec::with_capacity(spec.groups);
        while let Some(started) = starting.join_next().await {
            groups.push(started.map_err(|error| TestkitError::io("starting a group")(error.into()))??);
        }
        groups.sort_by_key(|(index, _)| *index);
        let groups = groups.into_iter().map(|(_, group)| group).collect();
        Ok(Cluster { groups, directory })
    }

    /// One plain server: what the answers through the proxy are compared with.
    pub async fn single(flavour: Flavour) -> Result<Cluster> {
        Cluster::start(ClusterSpec::new(flavour, 1, 0)).await
    }

    /// The groups, in order.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of this number.
    ///
    /// # Panics
    /// If the cluster has fewer groups.
    #[must_use]
    pub fn group(&self, index: usize) -> &Group {
        &self.groups[index]
    }

    /// Every server of every group.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.groups.iter().flat_map(|group| &group.servers)
    }

    /// The directory that holds the servers' files; a test may put its own beside them.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The user with which Serval connects to these servers.
    #[must_use]
    pub fn backend_user(&self) -> &'static str {
        BACKEND_USER
    }

    /// That user's password.
    #[must_use]
    pub fn backend_password(&self) -> &'static str {
        BACKEND_PASSWORD
    }

    /// Waits until each replica has applied what its primary has written so far.
    pub async fn wait_until_replicated(&self) -> Result<()> {
        for group in &self.groups {
            group.wait_until_replicated().await?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // All at once: each server's own drop then finds it dead or dying.
        self.groups.iter_mut().flat_map(|group| &mut group.servers).for_each(Server::hang_up);
    }
}

impl Group {
    /// The server that takes writes.
    ///
    /// # Panics
    /// Never: a group has at least one server.
    #[must_use]
    pub fn primary(&self) -> &Server {
        &self.servers[0]
    }

    /// The replica of this number.
    ///
    /// # Panics
    /// If the group has fewer replicas.
    #[must_use]
    pub fn replica(&self, index: usize) -> &Server {
        &self.servers[index + 1]
    }

    /// All replicas.
    #[must_use]
    pub fn replicas(&self) -> &[Server] {
        &self.servers[1..]
    }

    /// Waits until each replica of this group has applied what the primary has written so far.
    pub async fn wait_until_replicated(&self) -> Result<()> {
        if self.replicas().is_empty() {
            return Ok(());
        }
        let position = replication::position(self.primary()).await?;
        for replica in self.replicas() {
            replication::wait_for(replica, &position).await?;
        }
        Ok(())
    }
}

async fn start_group(spec: ClusterSpec, group: usize, parent: PathBuf) -> Result<(usize, Group)> {
    let mut starting = JoinSet::new();
    for index in 0..=spec.replicas {
        let (spec, parent) = (spec.clone(), parent.clone());
        starting.spawn(async move { (index, start_server(&spec, group, index, &parent).await) });
    }
    let mut servers = Vec::with_capacity(spec.replicas + 1);
    while let Some(started) = starting.join_next().await {
        let (index, server) = started.map_err(|error| TestkitError::io("starting a server")(error.into()))?;
        servers.push((index, server?));
    }
    servers.sort_by_key(|(index, _)| *index);
    let servers: Vec<Server> = servers.into_iter().map(|(_, server)| server).collect();
    let group_of_servers = Group { servers };
    for replica in group_of_servers.replicas() {
        replication::follow(replica, group_of_servers.primary()).await?;
    }
    Ok((group, group_of_servers))
}

async fn start_server(spec: &ClusterSpec, group: usize, index: usize, parent: &Path) -> Result<Server> {
    let role = if index == 0 { "primary".to_owned() } else { format!("replica{}", index - 1) };
    let id = group * 100 + index + 1;
    Server::start(ServerSpec {
        name: format!("g{group}-{role}"),
        flavour: spec.flavour,
        id: u32::try_from(id).unwrap_or(u32::MAX),
        replica: index > 0,
        options: &spec.options,
        parent,
    })
    .await
}
