"""What tests and benches stand on: MicroPython VMs, images for them, boards on a pty."""
