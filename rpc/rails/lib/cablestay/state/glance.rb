# frozen_string_literal: true

module Cablestay
  module State
    # Tells at a glance that nothing has changed, which is the usual case, where all instance variables are single values: the
    # same objects, with the same in them. Says nothing where one of them leads to others: to look at those takes as long
    # as to write them down.
    class Glance
      SINGLE = [ NilClass, TrueClass, FalseClass, Integer, Float, Symbol, String, Time ].to_h { |type| [ type, true ] }.freeze

      # nil where there is more than single values. +saved+ are what Cable#saved and Channels.saved give.
      def self.at(*saved)
        new(saved) if saved.all? { |one| !one.key?(:coder) && one[:ivars].each_value.all? { |value| single?(value) } }
      rescue StandardError # of what can't be written down
        nil
      end

      def self.single?(value)
        SINGLE.key?(Graph::CLASS.bind_call(value)) && value.instance_variables.empty?
      end

      def initialize(saved)
        @values = values(saved)
        @frozen = @values.map(&:frozen?)
        @bytes = Marshal.dump(saved)
      end

      def same?(*saved)
        values = values(saved)
        values.size == @values.size && values.each_with_index.all? { |value, n| value.equal?(@values[n]) && value.frozen? == @frozen[n] } &&
          Marshal.dump(saved) == @bytes
      rescue StandardError # as above
        false
      end

      private
        def values(saved)
          saved.flat_map { |one| one[:ivars].values }
        end
    end
  end
end
