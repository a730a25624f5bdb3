# frozen_string_literal: true

require "action_cable"
require "action_dispatch"
require "active_support/core_ext/hash"
require "active_support/core_ext/string/filters"
require "set"

# The Rails end of the bridge that holds an app's WebSockets: runs the app's own connection and channels for it.
# Without a bridge that asks, it does nothing.
module Cablestay
end

require_relative "cablestay/version"
require_relative "cablestay/errors"
require_relative "cablestay/secret"
require_relative "cablestay/proof"
require_relative "cablestay/utf8"
require_relative "cablestay/handshake"
require_relative "cablestay/request"
require_relative "cablestay/effects"
require_relative "cablestay/socket"
require_relative "cablestay/streams"
require_relative "cablestay/pub_sub"
require_relative "cablestay/references"
require_relative "cablestay/server"
require_relative "cablestay/broadcasts"
require_relative "cablestay/event_threads"
require_relative "cablestay/event"
require_relative "cablestay/once"
require_relative "cablestay/http_answer"
require_relative "cablestay/middleware_env"
require_relative "cablestay/rails_versions"
require_relative "cablestay/cable"
require_relative "cablestay/channels"
require_relative "cablestay/records"
require_relative "cablestay/state"
require_relative "cablestay/seal"
require_relative "cablestay/kept"
require_relative "cablestay/mounts"
require_relative "cablestay/concurrency"
require_relative "cablestay/cable_server"
require_relative "cablestay/rpc/hello"
require_relative "cablestay/rpc/connect"
require_relative "cablestay/rpc/command"
require_relative "cablestay/rpc/disconnect"
require_relative "cablestay/endpoint"
require_relative "cablestay/extensions"
require_relative "cablestay/process"
require_relative "cablestay/log_subscriber"
require_relative "cablestay/railtie" if defined?(Rails::Railtie)

Cablestay::RailsVersions.extend_rails
