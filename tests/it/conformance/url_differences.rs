//! What differs on purpose from other people's vectors for URLs, by reason.

use super::Reasons;

pub(super) const NORMALISER: Reasons = &[
    (
        "only http and https with a host are pages",
        &[
            "file:///foo/bar.txt",
            "file:/path/index.html",
            "file:/var/www/html/////./bar/index.html",
            "file:/var/www/html/foo/../bar/index.html",
            "ftp:/",
            "ftp://foo.com/index.html",
            "http:////",
            "http:///////",
        ],
    ),
    (
        "without a scheme it is a relative reference, as in browsers",
        &["foo.com/index.html"],
    ),
    (
        "empty path segments stay: servers may tell them apart; a mapping can rewrite them",
        &[
            "http://foo.com////aa////bb////foo.html",
            "http://foo.com////aa////bb//foo.html",
            "http://foo.com//aa//bb//foo.html",
            "http://foo.com//aa/bb/foo.html",
            "http://foo.com/aa//bb/foo.html",
            "http://foo.com/aa/bb//foo.html",
        ],
    ),
    (
        "`b=`, `b` and `=1` are three parameters to a server",
        &[
            "http://foo.com/index?&=1&a=1",
            "http://foo.com/index?=1&b=1&a=1",
            "http://foo.com/index?a=1&b=",
            "http://foo.com/index?b=&a=1",
        ],
    ),
    (
        "a percent sign without two digits stays, as browsers send it",
        &[
            "http://www.example.com/a/c/../b/search?q=foobar%",
            "http://www.example.com/p%zz%77%v",
            "http://www.example.com/search?q=foobar%",
            "http://www.example.com/search?q=foobar%2",
            "https://www.last.fm/music/Prefuse+73/_/90%+of+My+Mind+Is+With+You",
        ],
    ),
];

pub(super) const WPT: Reasons = &[
    (
        "schemes of no special kind are never fetched",
        &[
            ".. | abc://x/y/z/C:/",
            "\\/a | foo://foo/a",
            "\\\\a | foo://foo/a",
            "\\a | foo://foo/a",
            "foo://host/ !\"$%&'()*+,-./:;<=>@[\\]^_`{|}~ | ",
            "non-special:opaque\t\t  \r #hi | ",
            "non-special:opaque \t\t  \t#hi | ",
            "non-special:opaque \t\t  #hi | ",
            "non-special:opaque  #hi | ",
            "non-special:opaque  ?hi | ",
        ],
    ),
    (
        "file: URLs are never fetched (the parser drops empty segments and the host before a drive letter)",
        &[
            ".. | file://x/C:/",
            "/ | file://h/C:/a/b",
            "/..//localhost//pig | file://lion/",
            "/////mouse | file:///elephant",
            "////one/two | file:///",
            "//localhost//pig | file://lion/",
            "/C:/ | file://host/",
            "/\\//\\/a/../ | file:///",
            "/c:/foo/bar | file://host/path",
            "C|\n/ | file://host/dir/file",
            "C| | file://host/D:/dir1/dir2/file",
            "C| | file://host/dir/file",
            "C|# | file://host/dir/file",
            "C|/ | file://host/",
            "C|/ | file://host/dir/file",
            "C|? | file://host/dir/file",
            "C|\\ | file://host/dir/file",
            "\\/localhost//pig | file://lion/",
            "file:.//p | ",
            "file:/.//p | ",
            "file:///.// | file:////",
            "file:////foo | ",
            "file:////one/two | file:///",
            "file:///w|/m | ",
            "file://1.2.3.4/C:/ | ",
            "file://[1::8]/C:/ | ",
            "file://\\/localhost//cat | ",
            "file://example.net/C:/ | ",
            "file://localhost////foo | ",
            "file://localhost//a//../..// | ",
            "file://localhost//a//../..//foo | ",
            "file://spider/// | ",
            "file://xn--/p | ",
            "file:/C:/ | file://host/",
            "file:C:/ | file://host/",
            "file:\\\\// | ",
            "file:\\\\\\\\ | ",
            "file:\\\\\\\\#guppy | ",
            "file:\\\\\\\\?fox | ",
            "file:\\\\localhost// | ",
        ],
    ),
    (
        "a host of invalid punycode, which no registry gives out, is refused; the newest standard lets ASCII pass",
        &[
            "http://10.0.0.XN--pokxncvks | ",
            "http://10.0.0.xN--pokxncvks | ",
            "http://10.0.0.xn--pokxncvks | ",
            "http://a.b.c.XN--pokxncvks | ",
            "http://a.b.c.Xn--pokxncvks | ",
            "http://a.b.c.xn--pokxncvks | ",
            "https://xn--/ | ",
        ],
    ),
    (
        "wss: is never fetched",
        &["wss://host/ !\"$%&'()*+,-./:;<=>@[\\]^_`{|}~ | "],
    ),
];

pub(super) const CANONICALIZE: Reasons = &[
    (
        "a reference without a base is no page",
        &["?b=1", "a#frag", "a#frag {\"keep_fragments\":true}", "a?b=1#frag"],
    ),
    (
        "hosts with empty or over-long labels are left to the name server, as browsers do",
        &[
            "http://.éxamplé.com/résumé?q=résumé",
            "http://www.éxamplééxamplééxamplééxamplééxamplééxamplééxamplééxamplééxamplééxamplééxamplé.com/résumé?q=résumé",
        ],
    ),
    (
        "reserved characters keep their spelling (RFC 3986, 6.2.2.2)",
        &[
            "http://www.example.com/do?price(£)=500&a=1",
            "https://example.com/a%23b%2cc#bash",
        ],
    ),
    (
        "fragments and user names are never kept: the server never sees the first and a page does not depend on the second",
        &[
            "http://[::1]/do?a=1#frag {\"keep_fragments\":true}",
            "http://user:pass@www.example.com/do?a=1#frag {\"keep_fragments\":true}",
            "http://www.example.com/path/to/%23/foo/bar#frag {\"keep_fragments\":true}",
            "http://www.example.com/path/to/%23/foo/bar?url=http%3A%2F%2Fwww.example.com%2F%2Fpath%2Fto%2F%23%2Fbar%2Ffoo#frag {\"keep_fragments\":true}",
        ],
    ),
    (
        "user and password are no part of the identity of a page",
        &[
            "http://user:pass@www.example.com/do?a=1#frag",
            "http://user:pass@www.example.com:81/do?now=1",
            "http://user:pass@例え.jp:8080/p",
            "http://user@例え.jp/path",
        ],
    ),
    (
        "a blank value is a value, and a parameter without = has none",
        &[
            "http://www.example.com/do?1750,4",
            "http://www.example.com/do?b=&a=2 {\"keep_blank_values\":false}",
            "http://www.example.com/do?b=&c&a=2",
            "http://www.example.com/do?b=&c&a=2 {\"keep_blank_values\":false}",
        ],
    ),
    (
        "only & separates parameters (WHATWG)",
        &["http://www.example.com/do?c=1;b=2;a=3 {\"query_separator\":\";\"}"],
    ),
    (
        "equal names keep their order, which may mean something",
        &["http://www.example.com/do?c=3&b=5&b=2&a=50"],
    ),
    (
        "a space is %20, + stays what it is",
        &[
            "http://www.example.com/do?q=a space&a=1",
            "http://www.example.com/do?q=a%20space&a=1",
        ],
    ),
    (
        "a URL outside of a page is UTF-8",
        &[
            "http://www.example.com/résumé?country=Россия {\"encoding\":\"cp1251\"}",
            "http://www.example.com/résumé?q=résumé {\"encoding\":\"latin1\"}",
            "http://はじめよう.みんな/?query=サ&maxResults=5 {\"encoding\":\"iso2022jp\"}",
        ],
    ),
    (
        "only http and https are pages",
        &["sftp://UsEr:PaSsWoRd@www.EXAMPLE.com/"],
    ),
];
