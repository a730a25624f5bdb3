# frozen_string_literal: true

module Cablestay
  module State
    # Which object stands in one copy of some instance variables where another one stands in the other copy. Of those
    # that are built alike, the objects are found in the same order.
    class Twins
      def initialize
        @of = Hash.new { |hash, object| hash[object] = [] }.compare_by_identity
      end

      # The variable's value in both copies.
      def pair(one, other)
        sides = [ one, other ].map { |value| Graph.new({ value: value }).objects }
        return unless sides.map { |objects| objects.map { |object| Graph::CLASS.bind_call(object) } }.uniq.one?

        sides.first.zip(sides.last) do |first, last|
          @of[first] << last
          @of[last] << first
        end
      end

      def of(object)
        @of.key?(object) ? @of[object] : []
      end
    end
  end
end
