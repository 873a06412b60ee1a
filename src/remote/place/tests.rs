//! The URLs of users, and redirects.

use super::*;

fn template(url: &str) -> Result<Template, BadUrl> {
    Template::new(url, vec!["Exchange.Example".to_owned(), "other.example".to_owned()], true)
}

#[track_caller]
fn check(url: &str, user: &str, expected: Option<&str>) {
    let place = template(url).expect("a good URL").of(user);
    assert_eq!(place.map(|place| place.to_string()).as_deref(), expected, "{user}");
}

#[test]
fn a_user_of_our_domains_has_a_calendar() {
    let url = "https://cal.example:8443/{user}/calendar/";
    check(url, "ada@exchange.example", Some("https://cal.example:8443/ada@exchange.example/calendar/"));
    check(url, "a b\u{e9}@other.example", Some("https://cal.example:8443/a%20b%C3%A9@other.example/calendar/"));
    check(url, "ada@notes.example", None);
    check(url, "ada", None);
    check("http://[::1]/{domain}/{name}/", "ada@other.example", Some("http://[::1]/other.example/ada/"));
}

#[test]
fn a_name_cannot_leave_its_place() {
    for name in ["..", ".", "", "../bob", "a/b", "a\\b", "%2e%2e", "a?b", "a#b"] {
        check("http://h/{name}/calendar/", &format!("{name}@other.example"), None);
    }
    check("http://h/{user}/", "{name}@other.example", Some("http://h/%7Bname%7D@other.example/"));
}

#[test]
fn a_url_that_cannot_be_used_is_refused() {
    assert_eq!(template("https://h/calendar/").map(drop), Err(BadUrl::NoUser));
    assert_eq!(template("https://ada:secret@h/{user}/").map(drop), Err(BadUrl::Secret));
    for url in ["h/{user}/", "ftp://h/{user}/", "https:///{user}/", "https://h:x/{user}/", "https://h:99999/{user}/"] {
        assert_eq!(template(url).map(drop), Err(BadUrl::NoUrl(url.to_owned())));
    }
    assert_eq!(Template::new("https://h/{user}/", vec![], true).map(drop), Err(BadUrl::NoDomain));
    assert!(Template::new("https://h/calendar/", vec!["a".to_owned()], false).is_ok());
}

#[test]
fn a_redirect_leads_to_a_path_or_a_url() {
    let from = Place::parse("https://h:1/a").expect("a URL");
    let to = |location| from.follow(location).map(|place| place.to_string());
    assert_eq!(to("/b?c"), Ok("https://h:1/b?c".to_owned()));
    assert_eq!(to("https://other/b"), Ok("https://other/b".to_owned()));
    assert_eq!(to("http://h:1/a"), Err("it is not encrypted"));
    for location in ["//other/b", "b", "", "https://", "https://a:b@h/"] {
        assert!(to(location).is_err(), "{location}");
    }
}

#[test]
fn parameters_are_added_to_those_that_a_url_has() {
    let with = |url| Place::parse(url).expect("a URL").with("a=b").map(|place| place.to_string());
    assert_eq!(with("https://h/c"), Ok("https://h/c?a=b".to_owned()));
    assert_eq!(with("https://h/c?d=e"), Ok("https://h/c?d=e&a=b".to_owned()));
    assert!(with(&format!("https://h/{}", "c".repeat(4085))).is_err());
}

#[test]
fn an_origin_is_a_protocol_a_host_and_a_port() {
    let place = |url| Place::parse(url).expect("a URL");
    assert!(place("https://h/a").is_same_origin(&place("https://H:443/b")));
    for other in ["http://h/a", "https://h:444/a", "https://i/a"] {
        assert!(!place("https://h/a").is_same_origin(&place(other)), "{other}");
    }
}
