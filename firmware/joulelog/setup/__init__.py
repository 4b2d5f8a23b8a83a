"""Set-up without a computer: Wi-Fi by the cable."""
