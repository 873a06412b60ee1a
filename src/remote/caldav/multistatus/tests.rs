//! Replies of servers, and what hostile ones could send.

use super::*;
use proptest::prelude::*;

const RADICALE: &str = "<?xml version='1.0' encoding='utf-8'?>\n\
    <multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><response><href>/a%40b/calendar/one.ics</href><propstat>\
    <prop><getetag>\"d04f\"</getetag><C:calendar-data>BEGIN:VCALENDAR\nSUMMARY:A &amp; B &lt;x&gt;&#13;\nEND:VCALENDAR\n\
    </C:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";

/// The status comes first, and the prefixes are others.
const XANDIKOS: &str = "<ns0:multistatus xmlns:ns0=\"DAV:\" xmlns:ns1=\"urn:ietf:params:xml:ns:caldav\"><ns0:response>\
    <ns0:href>/carol/one.ics</ns0:href><ns0:propstat><ns0:status>HTTP/1.1 200 OK</ns0:status><ns0:prop>\
    <ns1:calendar-data><![CDATA[BEGIN:VCALENDAR]]></ns1:calendar-data></ns0:prop></ns0:propstat>\
    <ns0:propstat><ns0:status>HTTP/1.1 404 Not Found</ns0:status><ns0:prop><ns0:getetag/></ns0:prop></ns0:propstat>\
    </ns0:response></ns0:multistatus>";

#[track_caller]
fn refused(text: &str) -> String {
    match read(text).expect_err("refused") {
        Failure::Xml { what, .. } => what,
        other => panic!("{other}"),
    }
}

#[test]
fn the_replies_of_both_servers_are_read() {
    let object = "BEGIN:VCALENDAR\nSUMMARY:A & B <x>\r\nEND:VCALENDAR\n".to_owned();
    let objects = |text| read(text).expect("good").objects;
    assert_eq!(objects(RADICALE), [("/a%40b/calendar/one.ics".to_owned(), object)]);
    assert_eq!(objects(XANDIKOS), [("/carol/one.ics".to_owned(), "BEGIN:VCALENDAR".to_owned())]);
    assert_eq!(read("<multistatus xmlns='DAV:'/>").expect("good"), Multistatus::default());
}

#[test]
fn no_part_of_a_reply_is_taken_for_all_of_it() {
    for text in [RADICALE, XANDIKOS] {
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            assert!(read(&text[..cut]).is_err(), "{}", &text[..cut]);
        }
    }
}

#[test]
fn a_reply_says_whether_it_is_complete() {
    let truncated = RADICALE.replace(
        "</multistatus>",
        "<response><href>/a/</href><status>HTTP/1.1 507 Insufficient Storage</status></response></multistatus>",
    );
    let partial = read(&truncated).expect("good");
    assert!(partial.is_partial && partial.objects.len() == 1);
    assert!(!read(RADICALE).expect("good").is_partial);
    assert_eq!(
        refused(&RADICALE.replace("200 OK", "403 Forbidden")),
        "no calendar-data of \"/a%40b/calendar/one.ics\": \"\""
    );
    let deleted = read(&truncated.replace("507 Insufficient Storage", "404 Not Found")).expect("good");
    assert_eq!((deleted.objects.len(), deleted.gone, deleted.is_partial), (1, vec!["/a/".to_owned()], false));
    for status in ["HTTP/1.1 200 OK", "x", "500"] {
        refused(&truncated.replace("HTTP/1.1 507 Insufficient Storage", status));
    }
}

#[test]
fn the_token_of_a_collection_is_its_own() {
    let with = |token: &str| RADICALE.replace("</multistatus>", &format!("{token}</multistatus>"));
    let token = |text: &str| read(text).expect("good").token;
    assert_eq!(
        token(&with("<sync-token>http://h/ns/sync/1&amp;2</sync-token>")).as_deref(),
        Some("http://h/ns/sync/1&2")
    );
    assert_eq!(token(RADICALE), None);
    assert_eq!(token(&with("<x><sync-token>1</sync-token></x>")), None);
}

#[test]
fn what_is_no_multistatus_is_refused() {
    assert!(refused("").contains("cut off"));
    assert_eq!(refused("<html/>"), "\"html\" where a multistatus is due");
    assert_eq!(refused("<multistatus/>"), "\"multistatus\" where a multistatus is due");
    assert_eq!(refused("<multistatus xmlns='DAV:'/><more xmlns='DAV:'/>"), "\"more\" where a multistatus is due");
    refused("<multistatus xmlns='DAV:'></a>");
    refused("<a:multistatus xmlns='DAV:'/>");
}

#[test]
fn no_entity_is_expanded_and_no_depth_is_without_bound() {
    let bomb = format!("<!DOCTYPE a [<!ENTITY b \"{}\">]>{XANDIKOS}", "x".repeat(1000));
    assert_eq!(refused(&bomb), "a document type is not accepted");
    assert_eq!(refused(&RADICALE.replace("&amp;", "&b;")), "the entity \"b\" is not accepted");
    let deep = format!("<multistatus xmlns='DAV:'>{}", "<a>".repeat(1000));
    assert_eq!(refused(&deep), "more than 16 elements within each other");
    let many =
        format!("<multistatus xmlns='DAV:' {}/>", (0..10_000).map(|n| format!("xmlns:a{n}='b' ")).collect::<String>());
    refused(&many);
}

#[test]
fn data_of_other_elements_is_not_taken() {
    let elsewhere = RADICALE.replace("C:calendar-data", "C:calendar-timezone");
    assert!(refused(&elsewhere).starts_with("no calendar-data"));
    let other_namespace = RADICALE.replace("urn:ietf:params:xml:ns:caldav", "urn:x");
    assert!(refused(&other_namespace).starts_with("no calendar-data"));
}

/// Pieces of replies, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "<",
        ">",
        "/>",
        "</",
        "&",
        ";",
        "&#0;",
        "&#x10ffff;",
        "&lt;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?x",
        "?>",
        "<!DOCTYPE",
        "multistatus",
        " xmlns='DAV:'",
        " xmlns:C='urn:ietf:params:xml:ns:caldav'",
        "<multistatus xmlns='DAV:'>",
        "<response>",
        "</response>",
        "<href>",
        "</href>",
        "<propstat>",
        "</propstat>",
        "<prop>",
        "</prop>",
        "<status>",
        "HTTP/1.1 200 OK",
        "</status>",
        "<calendar-data xmlns='urn:ietf:params:xml:ns:caldav'>",
        "</calendar-data>",
        "</multistatus>",
        "\u{0}",
        "\u{e9}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in pieces()) {
        let _ = read(&text);
    }

    #[test]
    fn a_reply_with_any_change_is_read_or_refused(at in 0..RADICALE.len(), piece in pieces()) {
        let _ = read(&format!("{}{piece}{}", &RADICALE[..at], &RADICALE[at..]));
    }
}
