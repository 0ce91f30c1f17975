use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::limits::ServiceLimits;

/// Waits until the process is asked to stop, by Ctrl-C or a SIGTERM.
///
/// From the first call on, neither signal ends the process by itself any more.
pub async fn stop_requested() {
    let interrupted = async {
        if let Err(error) = signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C can't be handled");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM can't be handled");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// Serves until `stop` is ready. Then no new connection is accepted, and the requests at hand may finish within
/// `grace`; what is still running after it is dropped, and its connections are closed.
///
/// # Errors
///
/// None today: a connection that can't be accepted is logged and tried again.
pub async fn serve_until(
    mut listener: TcpListener,
    router: Router,
    limits: ServiceLimits,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.request_time);
    let connections = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            // It waits and tries again where there are too many open files.
            (stream, _) = Listener::accept(&mut listener) => stream,
            // The set holds a connection that has ended until it is asked for it.
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection's task failed");
                }
                continue;
            }
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection(TokioIo::new(Connection::new(stream)), service);
        let connection = connections.watch(connection);
        tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended before its time");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!(?grace, "requests were still running after the grace period");
    }
    tasks.shutdown().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Asks a server whose one handler takes `work`, and stops the server while it is at it.
    async fn stop_amid(work: Duration, grace: Duration) -> (String, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (began, mut begun) = tokio::sync::mpsc::channel::<()>(1);
        let handler = move || async move {
            began.send(()).await.unwrap();
            sleep(work).await;
            "done"
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve_until(
            listener,
            Router::new().route("/", get(handler)),
            ServiceLimits::default(),
            async move { stopped.await.unwrap() },
            grace,
        ));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        begun.recv().await.unwrap();
        let asked = Instant::now();
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        let took = asked.elapsed();
        assert!(TcpStream::connect(address).await.is_err(), "a stopped server accepts connections");
        let mut reply = String::new();
        let read = tokio::time::timeout(Duration::from_secs(10), client.read_to_string(&mut reply)).await;
        // Its end may be a reset.
        _ = read.expect("a stopped server holds no connection");
        (reply, took)
    }

    #[tokio::test]
    async fn a_request_at_hand_is_answered_before_the_server_stops() {
        let (reply, took) = stop_amid(Duration::from_millis(200), Duration::from_secs(60)).await;
        assert!(reply.ends_with("done"), "{reply}");
        assert!(took < Duration::from_secs(30), "{took:?}");
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_hold_the_server() {
        let (reply, took) = stop_amid(Duration::from_secs(3600), Duration::from_millis(100)).await;
        assert_eq!(reply, "");
        assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(30), "{took:?}");
    }
}
