# frozen_string_literal: true

# The app mounts the cable itself, below a path with a parameter, and asks for more of an Origin than to be its own.
config.action_cable.mount_path = nil
config.action_cable.allow_same_origin_as_host = false
config.action_cable.allowed_request_origins = /pages\.test/
config.after_initialize { |app| app.routes.append { mount ActionCable.server => "/t/:tenant/cable" } }
if Rails.gem_version >= Gem::Version.new("7.1")
  config.action_cable.health_check_path = "/healthy"
  config.action_cable.health_check_application = ->(_env) { [ 200, { "content-type" => "text/plain" }, [ "as ever" ] ] }
end
