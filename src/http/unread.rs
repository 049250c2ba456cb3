//! What an answer leaves unread of its request's body. When that has not come yet, hyper ends the connection after the
//! answer, which does not say so: the next request over it would be lost, and a body on its way would be met by a reset.
//! So the rest is read before the answer is sent, or the answer says that it is the connection's last one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Buf;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest rest that is read, in bytes. More is not worth a connection.
const MAX_UNREAD_BYTES: usize = 64 << 10;

/// How long the rest may take to come.
const UNREAD_DEADLINE: Duration = Duration::from_secs(5);

/// A request's body while somebody answers; then it comes back, unless it is still in use.
pub(super) struct Lent<B> {
    body: Option<B>,
    back: Option<oneshot::Sender<B>>,
}

/// Lets `answer` answer a request, and sees to what that left of its body.
pub(super) async fn answered<B, F, E>(
    request: Request<B>,
    answer: impl FnOnce(Request<Lent<B>>) -> F,
) -> Result<Response, E>
where
    B: Body + Unpin,
    F: Future<Output = Result<Response, E>>,
{
    let (back_tx, mut back) = oneshot::channel();
    let mut response = answer(request.map(|body| Lent { body: Some(body), back: Some(back_tx) })).await?;
    if let Ok(rest) = back.try_recv()
        && !was_read(rest).await
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Reads a body to its end, and throws it away. Whether it came to that.
async fn was_read<B: Body + Unpin>(mut body: B) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if body.size_hint().lower() > MAX_UNREAD_BYTES as u64 {
        return false;
    }
    let reading = async {
        let mut count = 0;
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let Ok(frame) = frame else { return false };
            count += frame.data_ref().map_or(0, Buf::remaining);
            if count > MAX_UNREAD_BYTES {
                return false;
            }
        }
        true
    };
    timeout(UNREAD_DEADLINE, reading).await.unwrap_or(false)
}

impl<B: Body + Unpin> Body for Lent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, B::size_hint)
    }
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits for what outlived its answer.
            let _ = back.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Notify;

    use super::*;

    /// A connection to who answers everything without a look at its body, and what tells when it does.
    fn connection() -> (DuplexStream, Arc<Notify>) {
        let (ours, theirs) = duplex(1 << 20);
        let answering = Arc::new(Notify::new());
        let told = answering.clone();
        let service = service_fn(move |request| {
            let told = told.clone();
            answered(request, move |_| async move {
                told.notify_one();
                Ok::<_, Infallible>(Response::default())
            })
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(theirs), service));
        (ours, answering)
    }

    fn head(length: usize) -> Vec<u8> {
        format!("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n\r\n").into()
    }

    /// The next answer, which has no body.
    async fn answer(connection: &mut DuplexStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(connection.read_u8().await.expect("an answer"));
        }
        let text = String::from_utf8(answer).expect("text");
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
        text
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_after_its_answer_was_made_costs_no_request() {
        let (mut connection, answering) = connection();
        for _ in 0..3 {
            connection.write_all(&head(2)).await.expect("a connection");
            answering.notified().await;
            connection.write_all(b"{}").await.expect("a connection");
            assert!(!answer(&mut connection).await.contains("connection: close"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_or_is_too_long_ends_the_connection_and_the_answer_says_so() {
        for length in [2, MAX_UNREAD_BYTES + 1] {
            let (mut connection, _) = connection();
            connection.write_all(&head(length)).await.expect("a connection");
            let text = answer(&mut connection).await;
            assert!(text.contains("connection: close"), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_unknown_length_is_read_up_to_the_bound() {
        for (length, closes) in [(MAX_UNREAD_BYTES, false), (MAX_UNREAD_BYTES + 1, true)] {
            let (mut connection, _) = connection();
            let head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunk =
                [format!("{length:x}\r\n").as_bytes(), &vec![b'x'; length], b"\r\n0\r\n\r\n"].concat();
            connection.write_all(&[&head[..], &chunk].concat()).await.expect("a connection");
            let text = answer(&mut connection).await;
            assert_eq!(text.contains("connection: close"), closes, "{length}: {text}");
        }
    }
}
