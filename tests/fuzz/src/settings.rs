//! Any text as a settings file of either side: settings, or what is wrong with them.
#![no_main]

use calcon::settings::{ExchangeOptions, NotesOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(options) = toml::from_str::<ExchangeOptions>(text) {
        let _ = options.clone().access(None);
        let _ = options.settings(None);
    }
    if let Ok(options) = toml::from_str::<NotesOptions>(text) {
        let _ = options.clone().access(None);
        let _ = options.settings(None);
    }
});
