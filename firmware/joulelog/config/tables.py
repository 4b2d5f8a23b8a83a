"""What every config may say: a row per key, as schema.py tells. Parts have tables of their own."""

TOP = """
device | name | null | this logger in topics and tags; null: joulelog- and the chip's last digits
board | text | "auto" | the board, or "auto"
"""
WIFI = """
ssid | text | required | name of your Wi-Fi network
password | secret 8..64 | "" | its password; "" for an open network
hostname | name | null | name that the router shows; null: the device's name
address | address | null | a fixed IPv4 address, with `gateway`; null: the router gives one (DHCP)
mask | address | null | of the fixed address; null: 255.255.255.0
gateway | address | null | the router's address
dns | address | null | the name server's; null: the gateway
power_save | bool | false | the radio sleeps between beacons: less current, slower answers
"""
LOG = """
level | choice debug info warning error | "info" | what is worth a line
size_kb | int 0..4000 | 500 | both log files together; 0: no log on flash
directory | path | null | where the log lives; null: the board's place
"""
CLOCK = """
ntp | list text | ["pool.ntp.org"] | time servers, asked in turn; []: none
timezone | zone | "" | POSIX TZ, for what people read: "CET-1CEST,M3.5.0,M10.5.0/3"; "": UTC
"""
QUEUE = """
slots | int 4..4096 | 64 | readings that wait in RAM for slow servers; default: by what is free
flash_kb | int 0.. | null | readings that wait on the flash; 0: none; null: 30 % of the file system
durability | choice spill always | "spill" | spill: flash when the RAM is full; always: each one
sync_seconds | int 1..3600 | 60 | with `always`: seconds between two writes
directory | path | null | where they wait; null: `spool` beside the log
"""
READER = """
type | text | required | which meter
name | name | null | name of this meter; null: its type
names | dict name | {} | rename channels: {"energy_import_t1": "day"}
offsets | dict decimal | {} | add to a counter: {"energy_import_t1": "1234.567"}
channels | list text | null | only these channels; null: all
"""
SINK = """
type | text | required | which destination
name | name | null | name of this sink; null: its type
sources | list text | null | only these meters (reader names); null: all
channels | list text | null | only these channels; null: all
every | int 0..86400 | 0 | one reading per so many seconds; 0: every reading
take_over | name | null | send here what waits for where the sink of this name went before
"""
