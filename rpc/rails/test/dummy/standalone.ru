# frozen_string_literal: true

# Action Cable without Rails' middleware, as its guide shows it.
require_relative "application"

ActionCable.server.config.disable_request_forgery_protection = true
run ActionCable.server
