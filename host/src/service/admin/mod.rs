//! What those who run the server ask it, on an address of its own: what is served, and to read its files again.

mod plugins;
mod reload;
mod token;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::keeper::{Keeper, ReloadError};
use super::limits::ServiceLimits;
use super::server::Server;

pub(super) use token::Token;

/// The routes for administration, and those of the service that are not for everybody. Those below `/admin` want the token of the
/// configuration.
fn router(keeper: &Keeper) -> Router {
    Router::new()
        .route("/admin/plugins", get(plugins::plugins))
        .route("/admin/reload", post(reload::reload))
        .fallback(of_service)
        .layer(middleware::from_fn_with_state(keeper.clone(), token::check))
        .with_state(keeper.clone())
}

/// What the service that is served now tells those who run it.
async fn of_service(State(keeper): State<Keeper>, request: Request) -> Response {
    let Ok(answer) = TowerToHyperService::new(keeper.service().admin_router()).call(request).await;
    answer
}

impl Keeper {
    /// What answers at the address for administration: `GET /admin/plugins`, `POST /admin/reload`, and what
    /// [`Service::admin_router`](super::Service::admin_router) has. It is no service for callers.
    pub fn admin(&self) -> Server {
        Server::of_router(router(self), ServiceLimits::default())
    }
}

/// Reads the token of a configuration, if it names one.
pub(super) fn token(config: &crate::Config) -> Result<Option<Token>, ReloadError> {
    config.admin.token_file.as_deref().map(|path| Token::read(path).map_err(ReloadError::from)).transpose()
}
