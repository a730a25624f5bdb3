# frozen_string_literal: true

require "active_support/ordered_options"

module Cablestay
  module State
    # Rails' OrderedOptions say that they have every method, also the one with which an object marshals itself; what
    # Marshal writes is then empty. Between events they are kept. Prepended to ActiveSupport::OrderedOptions.
    module Options
      def marshal_dump
        return method_missing(:marshal_dump) unless References.current
        raise TypeError, "can't dump hash with default proc" if default_proc

        {}.merge!(self)
      end

      def marshal_load(options)
        options.is_a?(Hash) ? update(options) : method_missing(:marshal_load, options)
      end

      ActiveSupport::OrderedOptions.prepend(self)
    end
  end
end
