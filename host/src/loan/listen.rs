use std::future::poll_fn;

use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client};

use super::address;
use super::driver::Driver;
use super::error::LoanError;
use super::pool::{PoolSettings, open_session};
use super::settings::ConnectionSettings;
use crate::reason::reason;

/// A session of its own that hears what is said on one channel (`NOTIFY`). Dropped, it is closed.
pub struct Listener {
    client: Client,
    heard: mpsc::Receiver<Heard>,
    _driver: Driver,
}

enum Heard {
    Notification,
    /// Nothing more will come, for this reason.
    End(String),
}

impl Listener {
    /// Connects and listens. It is a read-only session with the bounds that a pool's sessions have by default.
    ///
    /// # Errors
    /// [`LoanError::Unavailable`], if the database can't be reached within the time that connecting may take;
    /// [`LoanError::Failed`], if it can't listen: on a standby nothing is ever notified.
    pub async fn connect(connection: &ConnectionSettings, channel: &str) -> Result<Self, LoanError> {
        let unavailable = |reason: String| LoanError::Unavailable { reason };
        let within = address::connect_within(connection);
        let (client, mut connection) = address::first(connection, |address| async move {
            open_session(connection, &PoolSettings::default(), &address).await
        })
        .await?;
        // What was not yet heard is one notification: they say that something changed, and not what.
        let (sender, heard) = mpsc::channel(1);
        let driver = Driver::start(async move {
            let end = loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(_))) => _ = sender.try_send(Heard::Notification),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break reason(&error),
                    None => break "the server closed it".to_owned(),
                }
            };
            // Nobody may be left to hear it.
            _ = sender.send(Heard::End(end)).await;
        });
        let listener = Self { client, heard, _driver: driver };
        let begun = async {
            // Read-only at last, where that had to wait until it was known whether the server can be written to.
            listener.client.batch_execute("SET default_transaction_read_only = on").await?;
            // By itself, so that the server's list of sessions shows it.
            listener.client.batch_execute(&format!("LISTEN \"{}\"", channel.replace('"', "\"\""))).await
        };
        match tokio::time::timeout(within, begun).await {
            Ok(answer) => answer.map(|()| listener).map_err(LoanError::from),
            Err(_) => Err(unavailable("the new session did not answer in time".to_owned())),
        }
    }

    /// The session's client, for statements that may run beside the listening.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until something is notified; all that was since the last time counts as one. May be dropped at any await and
    /// called again.
    ///
    /// # Errors
    /// [`LoanError::Lost`]. What is notified until somebody listens again is not heard.
    pub async fn notified(&mut self) -> Result<(), LoanError> {
        match self.heard.recv().await {
            Some(Heard::Notification) => Ok(()),
            Some(Heard::End(reason)) => Err(LoanError::Lost { reason }),
            None => Err(LoanError::Lost { reason: "it ended before".to_owned() }),
        }
    }
}
