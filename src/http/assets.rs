//! The browser client, from inside the binary. Only the exact names that were embedded exist: no path is ever
//! joined, decoded or looked up on disk.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::problem::Problem;
use crate::config::hex;

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Assets;

/// Answers whatever no route does.
pub(super) async fn answer(request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Problem::NOT_FOUND.into_response();
    }
    match name(request.uri().path()).and_then(|name| Some((name, Assets::get(name)?))) {
        Some((name, file)) => send(name, file, request.headers()),
        None => Problem::NOT_FOUND.into_response(),
    }
}

/// The embedded name that `path` stands for.
fn name(path: &str) -> Option<&str> {
    match path {
        "/" => Some("index.html"),
        // The page has one address.
        "/index.html" => None,
        _ => path.strip_prefix('/'),
    }
}

fn send(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..16]));
    let cache = if is_hashed(name) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, cache.to_owned())];
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| known == tag.as_str()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let body = match file.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    };
    (common, [(header::CONTENT_TYPE, content_type(name))], body).into_response()
}

/// Whether the bundler put the content's hash into the name, as in `assets/index-B4x_9Qa1.js`: another content
/// would have another name.
fn is_hashed(name: &str) -> bool {
    let stem = name.strip_prefix("assets/").and_then(|file| file.split_once('.')).map(|(stem, _)| stem);
    let hash = stem.and_then(|stem| stem.get(stem.len().checked_sub(9)?..));
    let of_hash = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    hash.is_some_and(|hash| hash.starts_with('-') && hash.bytes().all(of_hash))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let response = answer(request.body(Body::empty()).unwrap()).await;
        let (head, body) = response.into_parts();
        (head.status, head.headers, axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn the_page_is_checked_for_news_each_time() {
        let (status, headers, body) = get("/", &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        assert!(!body.is_empty());

        let tag = headers[header::ETAG].to_str().unwrap().to_owned();
        let (status, _, body) = get("/", &[(header::IF_NONE_MATCH, &tag)]).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
    }

    #[tokio::test]
    async fn every_embedded_file_is_there_with_a_type() {
        for name in Assets::iter().filter(|name| name != "index.html") {
            let (status, headers, _) = get(&format!("/{name}"), &[]).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            assert_ne!(headers[header::CONTENT_TYPE], "application/octet-stream", "{name}");
        }
    }

    #[tokio::test]
    async fn nothing_else_is_and_all_of_it_looks_alike() {
        let (_, _, body) = get("/no-such", &[]).await;
        let paths = [
            "/..",
            "/../Cargo.toml",
            "/assets/../index.html",
            "/%2e%2e/Cargo.toml",
            "/..%5cCargo.toml",
            "/index.html%00",
            "/%69ndex.html",
            "//etc/passwd",
            "/etc/passwd",
            "/%c0%ae%c0%ae/Cargo.toml",
            "/C:/windows",
            "/./index.html",
            "/index.html/",
            "/INDEX.HTML",
            "/assets",
            "/assets/",
            "/index.html",
        ];
        for path in paths {
            let found = get(path, &[]).await;
            assert_eq!((found.0, &found.2), (StatusCode::NOT_FOUND, &body), "{path}");
        }
    }

    #[test]
    fn which_names_hold_a_hash() {
        let cases = [
            ("assets/index-B4x_9Qa1.js", true),
            ("assets/terminal-view-a-b_c-d1.css", true),
            ("assets/logo.svg", false),
            ("assets/a.js", false),
            ("index-B4x_9Qa1.js", false),
            ("index.html", false),
        ];
        for (name, wanted) in cases {
            assert_eq!(is_hashed(name), wanted, "{name}");
        }
    }
}
