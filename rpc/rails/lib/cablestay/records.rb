# frozen_string_literal: true

module Cablestay
  # Rails >= 7.1 can marshal a record as what its row holds, which is the default of new apps: right for a cache, but
  # unsaved changes, the app's own variables in it and that it was destroyed are lost. Between events they are kept;
  # the types of the attributes, which may hold procs, are still left to the class.
  module Records
    # Rebuilt from what is kept.
    DERIVED = %i[ @attributes @mutations_from_database @mutations_before_last_save ].freeze

    # Prepended to ActiveRecord::Base. Rails' own format is an Array.
    module Loading
      def marshal_load(state)
        return super unless state.is_a?(Hash)

        self.class.define_attribute_methods
        @attributes = Records.attributes(self.class, state[:attributes])
        saved = state[:saved] and
          @mutations_before_last_save = ActiveModel::AttributeMutationTracker.new(Records.attributes(self.class, saved))
        state[:ivars].each { |name, value| instance_variable_set(name, value) }
        freeze if state[:frozen]
      end
    end

    # Prepended to ActiveRecord::Base where Rails has its format in use: one method more changes what Ruby does.
    module Dumping
      def marshal_dump
        return super unless References.current

        saved = @mutations_before_last_save&.instance_variable_get(:@attributes) # what saved_changes tells of
        { attributes: Records.values(@attributes), saved: saved && Records.values(saved),
          ivars: (instance_variables - DERIVED).to_h { |name| [ name, instance_variable_get(name) ] },
          frozen: frozen? }
      end
    end

    class << self
      # What a set of attributes holds, without their types; the next makes it a set again.
      def values(set)
        attributes = set.keys.to_h { |name| [ name, set[name] ] }
        { originals: attributes.transform_values(&:original_value_for_database),
          changes: attributes.select { |_, attribute| attribute.changed? }.transform_values(&:value_for_database) }
      end

      def attributes(model, values)
        model.attributes_builder.build_from_database(values[:originals]).tap do |set|
          values[:changes].each { |name, value| set.write_from_user(name, set[name].type.deserialize(value)) }
        end
      end

      def extend_rails(base)
        @base = base
        base.prepend(Loading) if base.method_defined?(:marshal_load)
      end

      # Before state is marshalled: by then the app has chosen its format.
      def keep_whole
        @base.prepend(Dumping) if @base&.method_defined?(:marshal_dump) && !(@base < Dumping)
      end
    end
  end
end
