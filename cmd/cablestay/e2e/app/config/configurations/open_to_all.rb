# frozen_string_literal: true

# No check of the Origin, at another path.
config.action_cable.disable_request_forgery_protection = true
config.action_cable.mount_path = "/sockets/live"
