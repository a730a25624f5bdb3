# frozen_string_literal: true

# The same, and connections have nothing to do then.
instance_eval File.read(root.join("config/configurations/logging_warnings.rb"))
config.action_cable.connection_class = -> { PlainConnection }
