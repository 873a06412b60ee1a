//! What Radicale and Xandikos say of one calendar, as free/busy time and as events.

/// As Radicale answers: sorted, and cancelled events are free.
pub const RADICALE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//PYVOBJECT//NONSGML Version 0.9.9//EN\r\nBEGIN:VFREEBUSY\r\n\
    DTSTART:20260302T000000Z\r\nDTEND:20260304T000000Z\r\nFREEBUSY;FBTYPE=BUSY:20260302T080000Z/20260302T093000Z\r\n\
    FREEBUSY;FBTYPE=FREE:20260302T100000Z/20260302T110000Z\r\n\
    FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T120000Z/20260302T130000Z\r\n\
    FREEBUSY;FBTYPE=BUSY:20260303T000000Z/20260304T000000Z\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n";
/// As Xandikos answers: unsorted and overlapping, and a date without an end takes no time.
pub const XANDIKOS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Jelmer Vernoo\u{133}//Xandikos//EN\r\nBEGIN:VFREEBUSY\r\n\
    DTEND:20260304T000000Z\r\nDTSTART:20260302T000000Z\r\nFREEBUSY;VALUE=PERIOD:20260303T000000Z/P0D\r\n\
    FREEBUSY;VALUE=PERIOD:20260302T083000Z/20260302T093000Z\r\n\
    FREEBUSY;FBTYPE=BUSY-TENTATIVE;VALUE=PERIOD:20260302T120000Z/20260302T1300\r\n 00Z\r\n\
    FREEBUSY;VALUE=PERIOD:20260302T080000Z/PT1H\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n";
/// The events themselves, with what no server should have to know: names of Windows, a VTIMEZONE that contradicts its name, floating time.
const EVENTS: [&str; 6] = [
    "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=W. Europe Standard Time:20260302T090000\nDURATION:PT1H\nEND:VEVENT\n",
    "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\n\
     END:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:2\nDTSTART;TZID=Europe/Berlin:20260302T093000\n\
     DTEND;TZID=Europe/Berlin:20260302T103000\nEND:VEVENT\n",
    "BEGIN:VEVENT\nUID:3\nSTATUS:CANCELLED\nDTSTART:20260302T100000Z\nDURATION:PT1H\nEND:VEVENT\n",
    "BEGIN:VEVENT\nUID:4\nSTATUS:TENTATIVE\nDTSTART:20260302T120000\nDTEND:20260302T130000\nSUMMARY:A &amp; &lt;B&gt;\nEND:VEVENT\n",
    "BEGIN:VEVENT\nUID:5\nTRANSP:TRANSPARENT\nDTSTART:20260302T140000Z\nDURATION:PT1H\nEND:VEVENT\n",
    "BEGIN:VEVENT\nUID:6\nDTSTART;VALUE=DATE:20260303\nEND:VEVENT\n",
];

/// Returns the reply to a calendar-query, with more in it.
pub fn multistatus(more: &str) -> String {
    let objects = EVENTS.iter().enumerate().map(|(n, event)| {
        format!(
            "<ns0:response><ns0:href>/{n}.ics</ns0:href><ns0:propstat><ns0:status>HTTP/1.1 200 OK</ns0:status><ns0:prop>\
             <ns1:calendar-data>BEGIN:VCALENDAR\nVERSION:2.0\n{event}END:VCALENDAR\n</ns1:calendar-data></ns0:prop>\
             </ns0:propstat></ns0:response>"
        )
    });
    let objects = objects.collect::<String>();
    format!(
        "<ns0:multistatus xmlns:ns0=\"DAV:\" xmlns:ns1=\"urn:ietf:params:xml:ns:caldav\">{objects}{more}</ns0:multistatus>"
    )
}
