"""What several tests share: data made on the fly, small systems, a browser."""
