use serde_json::{Value, json};

use crate::service::identity::Identity;

/// Says in a document what a caller has to show, if it has to.
pub(super) fn add(document: &mut Value, identity: &Identity) {
    let mut schemes = serde_json::Map::new();
    if identity.takes_tokens() || identity.takes_keys() {
        let format = if identity.takes_tokens() { "JWT" } else { "API key" };
        let bearer = json!({ "type": "http", "scheme": "bearer", "bearerFormat": format });
        schemes.insert("bearer".to_owned(), bearer);
    }
    if identity.takes_keys() {
        schemes.insert("key".to_owned(), json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" }));
    }
    if schemes.is_empty() {
        return;
    }
    // Any one of them.
    document["security"] = schemes.keys().map(|scheme| json!({ (scheme.as_str()): [] })).collect();
    document["components"]["securitySchemes"] = schemes.into();
}
