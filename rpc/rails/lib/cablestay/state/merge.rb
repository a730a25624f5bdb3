# frozen_string_literal: true

module Cablestay
  module State
    # What two events of one connection, which ran at the same time, made of what it keeps: +before+ both of them, as one
    # left it (+kept+), and as the other, which answered later, did (+changed+). By instance variable: one that only
    # one of them changed is as that one left it. Where both did, the later answer's is taken, and the log says so.
    class Merge
      def initialize(before, kept, changed, owner:)
        @before, @kept, @changed = [ before, kept, changed ].map { |saved| saved[:ivars] }
        @saved = { **kept, **changed.slice(:coder), tags: kept[:tags] | changed[:tags] }
        @shared = [ kept, changed ].map { |saved| saved[:shared]&.objects || {} }
        @owner = owner
      end

      # As Cable#saved has it.
      def saved
        return References.among({}) { saved } unless References.current

        sides = (@kept.keys | @changed.keys).to_h { |name| [ name, side(name) ] }
        ivars = sides.reject { |name, side| !side.key?(name) }.to_h { |name, side| [ name, side[name] ] }
        { **@saved, ivars: ivars, shared: Sharing::Table.new(shared(Graph.new(ivars))) }
      end

      private
        # Where the variable is taken from.
        def side(name)
          before, kept, changed = [ @before, @kept, @changed ].map { |ivars| likeness(ivars, name) }
          if kept == changed then alike(name)
          elsif changed == before then @kept
          elsif kept == before then @changed
          else
            Cablestay.logger.error("#{@owner} loses a change of #{name}: two events of the connection changed it at the " \
              "same time, and the later answer's is kept")
            @changed
          end
        end

        def likeness(ivars, name)
          (@likenesses ||= {}.compare_by_identity)[ivars] ||= {}
          @likenesses[ivars].fetch(name) { |key| @likenesses[ivars][key] = ivars.key?(key) ? Likeness.of(ivars[key]) : :none }
        end

        # What both left alike comes from the side whose changes hold the same objects.
        def alike(name)
          changed = @changed.reject { |key, _| key == name || likeness(@changed, key) == likeness(@before, key) }
          return @kept if changed.empty? || !@changed.key?(name)

          others = Graph.new(changed)
          Graph.new({ name => @changed[name] }).objects.any? { |object| others.include?(object) } ? @changed : @kept
        end

        # The ids under which channels know objects that the connection holds still: also an object that stands
        # where the other side had its copy.
        def shared(graph)
          twins = self.twins
          @shared.each_with_object({}) do |objects, shared|
            objects.each do |id, object|
              object = [ object, *twins.of(object) ].find { |one| graph.include?(one) }
              shared[id] = object if object
            end
          end
        end

        def twins
          (@kept.keys & @changed.keys).each_with_object(Twins.new) do |name, twins|
            twins.pair(@kept[name], @changed[name]) if likeness(@kept, name) == likeness(@changed, name)
          end
        end
    end
  end
end
