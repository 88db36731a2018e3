//! A path, a query and a host that two readers could understand differently are refused, as every front does.

use crate::front;

#[tokio::test]
async fn a_path_that_could_be_read_in_two_ways_is_refused_before_its_route() {
    let front = front::start().await;
    for path in [
        "/v1/../v1/books",
        "/v1/./books",
        "/..",
        "/v1/books/..",
        "/v1/%2e%2e/v1/books",
        "/v1/.%2E/v1/books",
        "/v1%2Fbooks",
        "/v1/books/a%2fb",
        "/v1/books/a%5cb",
        "/v1/books/a%00b",
        "/v1/books/%2e",
        "/livez/../v1/books",
    ] {
        let answer = front.ask(&format!("GET {path}"), &[]).await;
        assert_eq!(answer.no(), (400, "ambiguous_path"), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
}

#[tokio::test]
async fn a_path_outside_of_the_standard_is_refused() {
    let front = front::start().await;
    for path in [
        "/v1/books/%",
        "/v1/books/%2",
        "/v1/books/%zz",
        "/v1/books/a%2",
        "/v1/books/%ff",
        "/v1/books/%c3%28",
        "/v1/books/{title}",
        "/v1/books/a\"b",
        "/v1/books/a|b",
        "/v1/books/größer",
        "*",
    ] {
        let answer = front.ask(&format!("GET {path}"), &[]).await;
        assert_eq!(answer.no(), (400, "invalid_path"), "{path}");
    }
}

#[tokio::test]
async fn a_target_that_is_no_target_gets_a_400_and_the_end() {
    let front = front::start().await;
    for target in [
        &b"/v1/books/\xff"[..],
        b"/v1/books/a\x01b",
        b"/v1/books/a<b",
        b"/v1/books?limit=\"1\"",
        b"/v1/books?limit=<1>",
        b"no-slash",
        b"",
        b"/a b",
    ] {
        let mut wire = front.wire().await;
        let lines = [b"GET ", target, b" HTTP/1.1\r\nhost: florin.test\r\n\r\n"].concat();
        let answer = wire.say(lines).await.hear().await.unwrap();
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(target));
    }
    front.lives().await;
}

#[tokio::test]
async fn slashes_count() {
    let front = front::start().await;
    for path in ["//v1/books", "/v1//books", "/v1/books/", "/v1/books//", "/V1/books", "/%76%31/books"] {
        assert_eq!(front.ask(&format!("GET {path}"), &[]).await.no(), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn what_is_percent_encoded_arrives_decoded_once() {
    let front = front::start().await;
    for (path, title) in [
        ("a%20b%C3%A9;c=1,d:@x", "a bé;c=1,d:@x"),
        ("%2541", "%41"),
        ("...", "..."),
        ("a+b", "a+b"),
        ("%F0%9F%93%9A", "📚"),
    ] {
        let answer = front.ask(&format!("GET /v1/books/{path}"), &[]).await;
        assert_eq!((answer.status, answer.body["title"].as_str()), (200, Some(title)), "{path}");
    }
}

#[tokio::test]
async fn an_absolute_target_is_taken_by_its_path() {
    let front = front::start().await;
    assert_eq!(front.ask("GET http://elsewhere.test/v1/books", &[]).await.status, 200);
    let answer = front.ask("GET http://elsewhere.test/v1/../v1/books", &[]).await;
    assert_eq!(answer.no(), (400, "ambiguous_path"));
    let answer = front.ask("GET http://anna@elsewhere.test/v1/books", &[]).await;
    assert_eq!(answer.no(), (400, "invalid_host"));
}

#[tokio::test]
async fn a_query_outside_of_the_standard_is_refused() {
    let front = front::start().await;
    for query in ["limit=größer", "limit=%ff", "%c3%28=1"] {
        let answer = front.ask(&format!("GET /v1/books?{query}"), &[]).await;
        assert_eq!(answer.no(), (400, "invalid_query"), "{query}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_one_host_is_refused() {
    let front = front::start().await;
    for hosts in [
        "",
        "host: a.test\r\nhost: b.test\r\n",
        "host: a.test\r\nhost: a.test\r\n",
        "host: a.test,b.test\r\n",
        "host: anna@a.test\r\n",
        "host: a.test:port\r\n",
        "host: a.test/path\r\n",
        "host: a b\r\n",
        "host: \r\n",
    ] {
        let mut wire = front.wire().await;
        let answer = wire.say(format!("GET /livez HTTP/1.1\r\n{hosts}\r\n")).await.hear().await.unwrap();
        assert_eq!(answer.no(), (400, "invalid_host"), "{hosts:?}");
    }
    for first in ["GET /livez HTTP/1.0\r\n\r\n", "GET /livez HTTP/1.1\r\nhost: [::1]:8064\r\n\r\n"] {
        let mut wire = front.wire().await;
        assert_eq!(wire.say(first).await.hear().await.unwrap().status, 200, "{first}");
    }
}
