# frozen_string_literal: true

require "active_support/duration"
require "active_support/hash_with_indifferent_access"
require "active_support/time_with_zone"
require "bigdecimal"
require "date"

module Cablestay
  module State
    # Tells at a glance that nothing has changed, which is the usual case, where all instance variables are values, records, and
    # arrays and hashes of them: the same objects, with the same in them. Says nothing where there is more: to look at that
    # takes as long as to write it down.
    class Glance
      MOST = 100 # objects

      SINGLE = [ NilClass, TrueClass, FalseClass, Integer, Float, Symbol, String, Time, Date, DateTime, BigDecimal, Rational ]
        .to_h { |type| [ type, true ] }.freeze

      # Values of Rails', and what they are made of.
      MADE_UP = { ActiveSupport::TimeWithZone => %i[ @utc @time_zone @time @period @is_utc ],
        ActiveSupport::Duration => %i[ @value @parts @variable ] }.freeze

      LISTS = { Array => :itself.to_proc, Hash => :flatten.to_proc, ActiveSupport::HashWithIndifferentAccess => :flatten.to_proc }.freeze

      class << self
        # nil where there is more than that. +saved+ are what Cable#saved and Channels.saved give.
        def at(*saved)
          new(saved) if saved.none? { |one| one.key?(:coder) } && within(values(saved))
        rescue StandardError # of what can't be written down
          nil
        end

        def values(saved)
          saved.flat_map { |one| one[:ivars].values }
        end

        # What is in lists and records, in its order; nil where there is more than a glance can tell.
        def within(values)
          found = {}.compare_by_identity
          queue = values.reject { |value| single?(value) }
          while (value = queue.shift)
            next if found.key?(value)

            more = single?(value) ? [] : parts(value)
            return if more.nil? || found.size >= MOST

            found[value] = true
            queue.concat(more)
          end
          found.keys
        end

        private
          def single?(value)
            SINGLE.key?(Graph::CLASS.bind_call(value)) && value.instance_variables.empty?
          end

          def parts(value)
            type = Graph::CLASS.bind_call(value)
            if (elements = LISTS[type])
              elements.call(value).compact if value.instance_variables.empty?
            elsif MADE_UP.key?(type)
              [] if (value.instance_variables - MADE_UP[type]).empty?
            elsif Records.record?(value)
              own = Records.own(value)
              Records.loaded(value) + own.reject(&:frozen?) if own.all? { |one| single?(one) }
            end
          end
      end

      def initialize(saved)
        @values = Glance.values(saved)
        @within = Glance.within(@values)
        @frozen = frozen(@values, @within)
        @bytes = written(saved)
      end

      # Objects in lists and records need not be the same ones, if they are equal: nobody else knows them.
      def same?(*saved)
        values = Glance.values(saved)
        return false unless values.size == @values.size && values.each_with_index.all? { |value, n| value.equal?(@values[n]) }

        written(saved) == @bytes && frozen(values, @within.empty? ? @within : Glance.within(values)) == @frozen
      rescue StandardError # as above
        false
      end

      private
        def written(saved)
          return Marshal.dump(saved) if @within.empty?

          References.among({}) { Marshal.dump(saved) } # as the state will have it, not as a cache would
        end

        def frozen(values, within)
          values.map(&:frozen?).concat(within.map(&:frozen?))
        end
    end
  end
end
