# frozen_string_literal: true

# Stock Action Cable in a process of its own: puma -C - -p 28080 cable/config.ru
# No middleware of the app runs here, so there is no session and no Warden: cookie and token only.
require_relative "../config/environment"

Rails.application.eager_load!

run ActionCable.server
