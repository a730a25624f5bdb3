# frozen_string_literal: true

module Cablestay
  module State
    # Tells at a glance that nothing has changed, which is the usual case, where all instance variables are single values: the
    # same objects, with the same in them. Says nothing where one of them leads to others: to look at those takes as long
    # as to write them down.
    class Glance
      # What can't change, and what has no more than itself in it.
      CONSTANT = [ NilClass, TrueClass, FalseClass, Integer, Float, Symbol ].to_h { |type| [ type, true ] }.freeze
      PLAIN = { String => true, Time => true }.freeze

      # nil where there is more than single values. +saved+ are what Cable#saved and Channels.saved give.
      def self.at(*saved)
        new(saved) if saved.all? { |one| one[:ivars].each_value.all? { |value| single?(value) } }
      end

      def self.single?(value)
        type = Graph::CLASS.bind_call(value)
        CONSTANT.key?(type) || (PLAIN.key?(type) && plain?(value))
      end

      def self.plain?(value)
        value.instance_variables.empty? && value.singleton_methods(false).empty?
      end

      def initialize(saved)
        @seen = saved.map do |one|
          [ one.except(:ivars), one[:ivars], one[:ivars].transform_values { |value| value.frozen? ? value : value.dup } ]
        end
      end

      def same?(*saved)
        @seen.zip(saved).all? do |(rest, ivars, copies), now|
          ivars.keys == now[:ivars].keys && rest == now.except(:ivars) &&
            now[:ivars].all? { |name, value| value.equal?(ivars[name]) && alike?(value, copies[name]) }
        end
      end

      private
        # Of one and the same object.
        def alike?(value, copy)
          case value
          when String then value == copy && value.encoding == copy.encoding && same_kind?(value, copy)
          when Time then value.eql?(copy) && value.utc_offset == copy.utc_offset && value.zone == copy.zone && same_kind?(value, copy)
          else true
          end
        end

        def same_kind?(value, copy)
          value.frozen? == copy.frozen? && Glance.plain?(value)
        end
    end
  end
end
