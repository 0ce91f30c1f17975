use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Connection;
use super::endpoint::{Endpoint, EndpointListener, Stream};
use super::limits::ServiceLimits;
use super::places::{self, Places};
use super::proxies::Proxies;
use super::state::Service;
use super::traffic::{Answer, Traffic};

/// What answers requests, on any number of addresses, with a service that can be exchanged meanwhile. A clone is the same server.
///
/// ```no_run
/// # async fn example(host: callslip::Host) -> std::io::Result<()> {
/// use std::time::Duration;
///
/// use callslip::service::{Server, Service, stop_requested};
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:7070").await?;
/// Server::new(&Service::new(host)).serve(listener, stop_requested(), Duration::from_secs(30)).await
/// # }
/// ```
#[derive(Clone)]
pub struct Server(watch::Sender<Arc<Current>>);

/// The least that the head of a request can be allowed, in bytes: hyper reads in pieces of this.
const LEAST_HEAD: usize = 8 << 10;

struct Current {
    router: Router,
    /// What answers for queries without the router, if this is a service's.
    service: Option<Service>,
    limits: ServiceLimits,
    proxies: Proxies,
}

impl From<&Service> for Current {
    fn from(service: &Service) -> Self {
        Self {
            router: service.router(),
            service: Some(service.clone()),
            limits: service.limits().clone(),
            proxies: service.proxies().clone(),
        }
    }
}

impl Current {
    async fn answer(&self, mut request: Request<Incoming>, peer: Option<SocketAddr>) -> Response {
        if let Some(service) = self.service.as_ref().filter(|service| service.query_path(&request).is_some())
        {
            let (head, body) = request.into_parts();
            return service.answer(head, Body::new(body), peer).await;
        }
        // As a service of axum's own tells who its client is.
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        match TowerToHyperService::new(self.router.clone()).call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl Server {
    /// A server that answers with this service.
    pub fn new(service: &Service) -> Self {
        Self(watch::Sender::new(Arc::new(service.into())))
    }

    /// One that answers with these routes, within these limits.
    pub(super) fn of_router(router: Router, limits: ServiceLimits) -> Self {
        Self(watch::Sender::new(Arc::new(Current {
            router,
            service: None,
            limits,
            proxies: Proxies::default(),
        })))
    }

    /// Answers with another service from now on. Requests that have begun go on with theirs.
    pub fn exchange(&self, service: &Service) {
        self.0.send_replace(Arc::new(service.into()));
    }

    fn current(&self) -> Arc<Current> {
        self.0.borrow().clone()
    }

    /// Serves on a `TcpListener` or what an [`Endpoint`](super::Endpoint) has bound, until `stop` is ready. Then no new connection
    /// is accepted, and the requests at hand may finish within `grace`; what is still running after it is dropped, and its
    /// connections are closed.
    ///
    /// # Errors
    /// None today: a connection that can't be accepted is logged and tried again.
    pub async fn serve(
        &self,
        listener: impl Into<EndpointListener>,
        stop: impl Future<Output = ()> + Send + 'static,
        grace: Duration,
    ) -> io::Result<()> {
        let mut listener = listener.into();
        let stopping = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let places = Places::default();
        let mut stop = std::pin::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                // It waits and tries again where there are too many open files.
                accepted = listener.accept() => accepted,
                // The set holds a connection that has ended until it is asked for it.
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a connection's task failed");
                    }
                    continue;
                }
                () = &mut stop => break,
            };
            let current = self.current();
            let Some(place) = places.take(current.proxies.counted(&peer), &current.limits) else {
                tasks.spawn(places::refuse(stream));
                continue;
            };
            let client = self.clone().serve_client(stream, peer, stopping.subscribe());
            tasks.spawn(async move {
                client.await;
                drop(place);
            });
        }
        drop(listener);
        stopping.send_replace(true);
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(grace, all_ended).await.is_err() {
            tracing::warn!(?grace, "requests were still running after the grace period");
        }
        tasks.shutdown().await;
        Ok(())
    }

    /// Answers the requests that come on a connection.
    async fn serve_client(
        self,
        stream: Box<dyn Stream>,
        peer: Endpoint,
        mut stopping: watch::Receiver<bool>,
    ) {
        let limits = self.current().limits.clone();
        let traffic = Arc::<Traffic>::default();
        let stream = Connection::new(stream, traffic.clone(), limits.stalled_after);
        let of_requests = traffic.clone();
        let peer = match peer {
            Endpoint::Tcp(peer) => Some(peer),
            Endpoint::Unix(_) => None,
        };
        let service = service_fn(move |request: Request<Incoming>| {
            let (current, at_hand) = (self.current(), of_requests.begin());
            // It is moved about until it is asked for the first time.
            let answer = Box::pin(async move { current.answer(request, peer).await });
            async move { Ok::<_, Infallible>(answer.await.map(|body| Answer { body, _at_hand: at_hand })) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.request_time)
            .max_buf_size(limits.header_bytes.max(LEAST_HEAD))
            .max_headers(limits.headers);
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            // It fails if the server was dropped, which ends this task too.
            () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {
                connection.as_mut().graceful_shutdown();
                loop {
                    match timeout(HALF_A_HEAD, connection.as_mut()).await {
                        Ok(ended) => break ended,
                        // Half a head would hold the whole server for as long as a head may take.
                        Err(_) if traffic.is_idle() => return,
                        Err(_) => {}
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended before its time");
        }
    }
}

/// How long the head of a request that was under way when the server was asked to stop may take.
const HALF_A_HEAD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
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
        let router = Router::new().route("/", get(handler));
        let current =
            Current { router, service: None, limits: ServiceLimits::default(), proxies: Proxies::default() };
        let server = Server(watch::Sender::new(Arc::new(current)));
        let server = tokio::spawn(async move {
            server.serve(listener, async move { stopped.await.unwrap() }, grace).await
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        begun.recv().await.unwrap();
        let asked = Instant::now();
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        let took = asked.elapsed();
        assert!(TcpStream::connect(address).await.is_err(), "a stopped server accepts connections");
        let mut reply = String::new();
        let read = timeout(Duration::from_secs(10), client.read_to_string(&mut reply)).await;
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

    /// A server that answers every request at once, and is stopped while a client has sent this.
    async fn stopped_after(sent: &[u8]) -> Duration {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let current = Current {
            router: Router::new(),
            service: None,
            limits: ServiceLimits::default(),
            proxies: Proxies::default(),
        };
        let server = Server(watch::Sender::new(Arc::new(current)));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            server.serve(listener, async move { stopped.await.unwrap() }, Duration::from_secs(3600)).await
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(sent).await.unwrap();
        // Another one is answered: so the first was accepted.
        let mut other = TcpStream::connect(address).await.unwrap();
        other.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        other.read_to_end(&mut Vec::new()).await.unwrap();
        let asked = Instant::now();
        stop.send(()).unwrap();
        timeout(Duration::from_secs(60), served).await.expect("it stops").unwrap().unwrap();
        asked.elapsed()
    }

    #[tokio::test]
    async fn half_a_head_and_an_idle_connection_do_not_hold_the_server() {
        for sent in ["", "GET / HTTP/1.1\r\nhost", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let took = stopped_after(sent.as_bytes()).await;
            assert!(took < Duration::from_secs(30), "{sent:?}: {took:?}");
        }
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_hold_the_server() {
        let (reply, took) = stop_amid(Duration::from_secs(3600), Duration::from_millis(100)).await;
        assert_eq!(reply, "");
        assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(30), "{took:?}");
    }
}
