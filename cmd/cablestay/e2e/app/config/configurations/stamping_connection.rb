# frozen_string_literal: true

# Another class of connection than the usual one.
config.action_cable.connection_class = -> { StampingConnection }
