"""Which instances a study is about, and which others lend them their background."""
