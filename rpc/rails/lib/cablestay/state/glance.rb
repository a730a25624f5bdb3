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
      MOST = 300 # objects, and variables of records
      MOST_RECORDS = 10 # of them: they take longest

      SINGLE = [ NilClass, TrueClass, FalseClass, Integer, Float, Symbol, String, Time, Date, DateTime, BigDecimal, Rational ]
        .to_h { |type| [ type, true ] }.freeze

      # Values of Rails', and what they are made of.
      MADE_UP = { ActiveSupport::TimeWithZone => %i[ @utc @time_zone @time @period @is_utc ],
        ActiveSupport::Duration => %i[ @value @parts @variable ] }.freeze

      class << self
        # nil where there is more than that. +saved+ are what Cable#saved and Channels.saved give.
        def at(*saved)
          new(saved) if saved.none? { |one| one.key?(:coder) } && Within.of(values(saved))
        rescue StandardError # of what can't be written down
          nil
        end

        def values(saved)
          saved.flat_map { |one| one[:ivars].values }
        end

        def single?(value)
          SINGLE.key?(Graph::CLASS.bind_call(value)) && value.instance_variables.empty?
        end
      end

      # What values lead to.
      class Within
        # nil where there is more than a glance can tell.
        def self.of(values)
          within = new
          within if values.all? { |value| within.add(value) }
        end

        # Of each object, in their order: is it frozen?
        attr_reader :frozen

        def initialize
          @found = {}.compare_by_identity
          @frozen = []
          @records = 0
        end

        # Is that all of it?
        def none?
          @found.empty?
        end

        def add(value)
          return false if @frozen.size > MOST

          @frozen << value.frozen?
          return true if Glance.single?(value) || @found.key?(value)

          @found[value] = true
          enter(value)
        end

        private
          def enter(value)
            type = Graph::CLASS.bind_call(value)
            if type == Array then plain?(value) && value.all? { |element| add(element) }
            elsif [ Hash, ActiveSupport::HashWithIndifferentAccess ].include?(type) then plain?(value) && add_hash(value)
            elsif MADE_UP.key?(type) then (value.instance_variables - MADE_UP[type]).empty?
            elsif Records.record?(value) then add_record(value)
            end
          end

          def plain?(list)
            list.instance_variables.empty?
          end

          def add_hash(hash)
            add(hash.default) && hash.all? { |key, value| add(key) && add(value) }
          end

          def add_record(record)
            own, noted, targets = Records.parts(record)
            (@records += 1) <= MOST_RECORDS && own.all? { |value| add_own(value) } && noted.all? { |hash| add(hash) } &&
              targets.all? { |target| add(target) }
          end

          # A record has many that are always frozen.
          def add_own(value)
            @frozen << value.frozen?
            Glance.single?(value)
          end
      end

      def initialize(saved)
        @values = Glance.values(saved)
        @within = Within.of(@values)
        @bytes = written(saved)
      end

      # Objects in lists and records need not be the same ones, if they are equal: nobody else knows them.
      def same?(*saved)
        same_values?(saved) && written(saved) == @bytes && Within.of(@values)&.frozen == @within.frozen
      rescue StandardError # as above
        false
      end

      private
        def same_values?(saved)
          n = 0
          saved.each do |one|
            one[:ivars].each_value do |value|
              return false unless value.equal?(@values[n])

              n += 1
            end
          end
          n == @values.size
        end

        def written(saved)
          return Marshal.dump(saved) if @within.none?

          References.among({}) { Marshal.dump(saved) } # as the state will have it, not as a cache would
        end
    end
  end
end
