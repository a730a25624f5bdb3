# frozen_string_literal: true

module Cablestay
  # What a connection or a channel keeps between events, as bytes and back.
  module State
    class << self
      # +saved+ has a Hash of instance variables at :ivars. One that can't travel is left out, and the log
      # says which and why; the others keep what they share with each other.
      def dump(saved, owner)
        Records.keep_whole
        ivars = saved[:ivars].transform_values { |value| References.current.replace(value) }
        frozen = ivars.select { |_, value| value.frozen? && !frozen_by_nature?(value) }.keys
        saved = saved.merge(ivars: ivars, frozen: frozen)
        Marshal.dump(saved)
      rescue StandardError, SystemStackError
        kept = ivars.select { |name, value| travels?(name, value, owner) }
        Marshal.dump(saved.merge(ivars: kept, frozen: Array(frozen) & kept.keys))
      end

      def load(bytes)
        saved = Marshal.load(bytes)
        saved[:frozen].each { |name| saved[:ivars][name].freeze }
        saved.merge(ivars: saved[:ivars].transform_values { |value| References.current.restore(value) })
      rescue StandardError, ScriptError, SystemStackError => error
        raise UnreadableState, "#{error.class}: #{error.message.lines.first.to_s.chomp}"
      end

      private
        def travels?(name, value, owner)
          Marshal.dump(value)
          true
        rescue StandardError, SystemStackError => error
          Cablestay.logger.error("#{owner} loses #{name} (#{value.class}) at the end of this event: " \
            "not yet carried by cablestay (#{error.message})")
          false
        end

        def frozen_by_nature?(value)
          case value
          when nil, true, false, Numeric, Symbol, Range, References::Reference then true
          else false
          end
        end
    end
  end
end
