# frozen_string_literal: true

module Cablestay
  module State
    # config.cablestay.state: do records travel as they are (:snapshot), or as their GlobalID to be found again by the
    # next event (:reload)? One for all, or a Hash of one for the :connection and one for its :channels.
    class Setting
      MODES = %i[ snapshot reload ].freeze
      OWNERS = %i[ connection channels ].freeze

      class << self
        attr_writer :current

        def current
          @current ||= new(:snapshot)
        end
      end

      def initialize(setting)
        @modes = setting.is_a?(Hash) ? { connection: :snapshot, channels: :snapshot, **setting } : OWNERS.to_h { |owner| [ owner, setting ] }
        return if @modes.keys == OWNERS && @modes.values.all? { |mode| MODES.include?(mode) }

        raise ConfigurationError, "config.cablestay.state is #{setting.inspect}: it must be :snapshot, :reload or a Hash like " \
          "{ connection: :reload, channels: :snapshot }"
      end

      def reload?(owner)
        @modes.fetch(owner) == :reload
      end
    end
  end
end
