"""What a real browser shows: Chromium, driven by Playwright."""
