//! One console.

use std::net::IpAddr;
use std::sync::Arc;

use serval_remote::Backend;
use serval_session::Answer;
use serval_session::handshake::{Account, HANDSHAKE_BYTES, OFFERED, Policy, Welcome, greet};
use serval_session::stream::{ReadError, ReadHalf, Reader, Stream, WriteHalf, Writer};
use serval_types::{ErrorCode, MysqlError};
use serval_wire::StatusFlags;
use serval_wire::command::Command;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use crate::statement;
use crate::{Admin, Control};

/// The largest statement of a console.
const STATEMENT_BYTES: usize = 64 * 1024;

/// What a statement answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Rows.
    Rows(Answer),
    /// Success, with so many things done.
    Done(u64),
}

/// Serves one console over its connection.
pub async fn serve_client<B, C>(admin: Arc<Admin<B, C>>, stream: Stream, host: Option<IpAddr>)
where
    B: Backend,
    C: Control,
{
    let (read, write) = stream.split();
    let mut reader = Reader::new(read, HANDSHAKE_BYTES);
    let mut writer = Writer::new(write);
    let shutdown = admin.proxy.shutdown.clone();
    tokio::select! {
        () = talk(&admin, &mut reader, &mut writer, host) => {}
        () = shutdown.cancelled() => {}
    }
    writer.close().await;
}

async fn talk<B, C>(
    admin: &Admin<B, C>,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
    host: Option<IpAddr>,
) where
    B: Backend,
    C: Control,
{
    let catalog = admin.proxy.catalog.load_full();
    let welcome = Welcome {
        server_version: admin.proxy.server_version(),
        thread_id: 0,
        host,
        policy: Policy { capabilities: OFFERED, plugin: catalog.settings.welcome.auth_plugin.into() },
        tls: catalog.settings.tls.as_ref(),
        entrance: &admin.proxy.entrance,
    };
    let accounts = |user: &str| {
        catalog.admin_users.get(user).map(|user| Account { verifier: user.verifier, secure: user.secure })
    };
    let user = match Box::pin(greet(reader, writer, welcome, accounts)).await {
        Ok((login, _)) => login.user,
        Err(error) => return tracing::info!(?host, %error, "console login refused"),
    };
    tracing::info!(?host, user, "console opened");
    writer.ok(&ok());
    reader.set_limit(STATEMENT_BYTES);
    while writer.flush().await.is_ok() {
        let idle = admin.proxy.catalog.load().settings.idle_timeout;
        let command = match reader.command(idle).await {
            Some(command) => command,
            None => match reader.silence(idle).await {
                Ok(()) => continue,
                Err(error) => Err(error),
            },
        };
        match command {
            Ok(packet) => {
                writer.follow(packet.sequence);
                if !answer(admin, writer, &packet.payload, &user).await {
                    break;
                }
            }
            Err(ReadError::Wire(error)) => {
                writer.follow(reader.expected());
                writer.error(&error.to_mysql());
                // The client that sent this may not be there any more.
                let _ = writer.flush().await;
                break;
            }
            Err(ReadError::Closed | ReadError::Idle) => break,
        }
    }
}

/// Answers one command into the writer's buffer; `false` where the client leaves.
async fn answer<B, C, W>(admin: &Admin<B, C>, writer: &mut Writer<W>, payload: &[u8], user: &str) -> bool
where
    B: Backend,
    C: Control,
    W: AsyncWrite + Unpin,
{
    match Command::decode(payload) {
        Ok(Command::Quit) => return false,
        Ok(Command::Ping | Command::InitDb(_) | Command::ResetConnection) => writer.ok(&ok()),
        Ok(Command::Query(sql)) => {
            let sql = String::from_utf8_lossy(sql);
            match statement::run(admin, &sql, user).await {
                Ok(Reply::Rows(rows)) => return rows.send(writer, status()).await.is_ok(),
                Ok(Reply::Done(affected_rows)) => writer.ok(&OkPacket { affected_rows, ..ok() }),
                Err(error) => writer.error(&error),
            }
        }
        Ok(_) => writer.error(&MysqlError::new(ErrorCode::UnknownCommand, "Unknown command")),
        Err(error) => writer.error(&error.to_mysql()),
    }
    true
}

fn ok() -> OkPacket {
    OkPacket { status: status(), ..OkPacket::default() }
}

fn status() -> StatusFlags {
    StatusFlags::SERVER_STATUS_AUTOCOMMIT
}
