# frozen_string_literal: true

# Nothing is logged when a connection or a subscription ends.
config.log_level = :warn
config.logger.level = Logger::WARN
