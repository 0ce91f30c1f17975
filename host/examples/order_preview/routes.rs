//! HTTP.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};

use crate::failure::Failure;
use crate::order::NewOrder;
use crate::shop::{Outcome, Shop, Shown};

/// How long a request may take in all. What it is doing then is dropped, which rolls its transaction back.
const REQUEST: Duration = Duration::from_secs(10);
/// How often an order is tried that is in conflict with others of the same moment.
const ATTEMPTS: u32 = 5;

pub fn router(shop: Shop) -> Router {
    Router::new()
        .route("/orders/preview", post(preview))
        .route("/orders", post(place))
        .layer(from_fn(within_time))
        .with_state(shop)
}

async fn preview(State(shop): State<Shop>, Json(order): Json<NewOrder>) -> Result<Json<Shown>, Failure> {
    Ok(Json(shop.preview(&order).await?))
}

async fn place(
    State(shop): State<Shop>,
    Json(order): Json<NewOrder>,
) -> Result<(StatusCode, Json<Shown>), Failure> {
    let mut outcome = shop.place(&order).await;
    for _ in 1..ATTEMPTS {
        if !matches!(outcome, Err(Failure::Conflict)) {
            break;
        }
        outcome = shop.place(&order).await;
    }
    Ok(match outcome? {
        Outcome::Placed(shown) => (StatusCode::CREATED, Json(shown)),
        Outcome::Refused(shown) => (StatusCode::CONFLICT, Json(shown)),
    })
}

async fn within_time(request: Request, next: Next) -> Result<Response, Failure> {
    tokio::time::timeout(REQUEST, next.run(request)).await.map_err(|_| Failure::Busy)
}
