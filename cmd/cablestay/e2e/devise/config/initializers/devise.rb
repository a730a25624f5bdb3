# frozen_string_literal: true

Devise.setup do |config|
  require "devise/orm/active_record"
  config.secret_key = Rails.application.secret_key_base
  config.stretches = 1
  config.navigational_formats = [ "*/*", :html ]
end

# The usual recipe: who signs out loses all sockets.
Warden::Manager.before_logout do |user, _warden, _options|
  ActionCable.server.remote_connections.where(current_user: user).disconnect if user
end
